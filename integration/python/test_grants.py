"""What may be granted, and what is said of a grant that is wrong."""
import time
import unittest

from pysandbox import AsyncSandbox, GuestError, PolicyError, Sandbox, expose, reference
from support import PATIENCE, Store


class Schemas(unittest.TestCase):
    def test_wrong_schemas_are_refused_at_once(self):
        for words in ({"params": ([int],)}, {"params": ("int",)}, {"params": (5,)}, {"params": int},
                      {"params": "int"}, {"params": (Store,)}, {"params": (reference,)}, {"params": ((),)},
                      {"params": (tuple,)}, {"returns": [reference("get")]}, {"returns": "str"},
                      {"returns": Store}, {"raises": KeyError}, {"raises": ("KeyError",)},
                      {"raises": (Store,)}):
            with self.subTest(words), self.assertRaisesRegex(TypeError, list(words)[0]):
                expose(**words)(lambda self, a: a)
        with self.assertRaisesRegex(TypeError, "marks methods"):
            expose(property(lambda self: 1))

    def test_schemas_are_given_by_name(self):
        for wrong in (int, (str, int), Store):
            with self.assertRaisesRegex(TypeError, "name what schemas are of"):
                expose(wrong)

    def test_a_wrong_number_of_schemas_is_refused_by_grant(self):
        class Wrong:
            @expose(params=(int,))
            def two(self, a, b):
                pass
        with Sandbox() as sb:
            with self.assertRaisesRegex(PolicyError, r"two\(\): params has 1 schemas, .* takes 2: \(a, b\)"):
                sb.grant("wrong", Wrong())


class Grants(unittest.TestCase):
    def test_wrong_grants(self):
        with Sandbox() as sb:
            for name, thing, methods in (
                ("_x", Store(), None), ("class", Store(), None), ("None", Store(), None),
                ("a-b", Store(), None), ("names", Store(), None),
                ("s", Store(), ["hidden"]), ("s", Store(), ["_get"]), ("s", object(), None),
            ):
                with self.assertRaises(PolicyError, msg=name):
                    sb.grant(name, thing, methods)
            with self.assertRaisesRegex(PolicyError, "'names' is no name .* none of .*, names"):
                sb.grant("names", Store())
            sb.grant("s", Store(), ["get"])
            with self.assertRaises(PolicyError):
                sb.grant("s", Store())

    def test_an_override_is_what_is_called_or_nothing(self):
        class Whole:
            @expose(returns=str)
            def kept(self):
                return "whole"

            @expose(returns=str)
            def marked(self):
                return "whole"

            @expose(returns=str)
            def changed(self):
                return "whole"

            @expose(returns=str)
            def removed(self):
                return "whole"

        class Part(Whole):
            @expose(returns=str)
            def marked(self):
                return "part"

            def changed(self):
                raise PermissionError

            removed = None

        with Sandbox() as sb:
            sb.grant("whole", Whole())
            sb.grant("part", Part())
            self.assertEqual(sb.eval("dir(whole)"), ["changed", "kept", "marked", "removed"])
            self.assertEqual(sb.eval("[whole.changed(), whole.marked()]"), ["whole", "whole"])
            self.assertEqual(sb.eval("dir(part)"), ["kept", "marked"])
            self.assertEqual(sb.eval("[part.kept(), part.marked()]"), ["whole", "part"])
            with self.assertRaisesRegex(PolicyError, "Part.changed is not exposed"):
                sb.grant("other", Part(), ["changed"])

    def test_what_has_no_methods_is_told_what_has(self):
        @expose
        def tool():
            pass
        with Sandbox() as sb:
            for thing, kind in ((tool, "function"), (Store().get, "method"), (Store, "type"),
                                (time, "module")):
                with self.assertRaises(PolicyError) as caught:
                    sb.grant("tool", thing)
                self.assertEqual(str(caught.exception), kind + " exposes no method; grant an instance of a "
                                 "class that marks some with @expose")

    def test_a_built_in_name_is_hidden_while_it_is_granted(self):
        with Sandbox() as sb:
            sb.grant("print", Store(), ["echo"])
            self.assertEqual(sb.eval("print.echo(5)"), 5)
            self.assertEqual(sb.exec("import builtins; builtins.print(6)").stdout, b"6\n")


class Leaving(unittest.TestCase):
    def test_what_would_end_the_host_ends_a_call(self):
        import asyncio

        class Leaver:
            @expose
            def at_once(self):
                raise SystemExit(3)

            @expose
            async def soon(self):
                raise SystemExit(3)

            @expose
            async def interrupt(self):
                raise KeyboardInterrupt

            @expose
            async def task(self):
                async def leave():
                    raise SystemExit(3)
                left = asyncio.create_task(leave())
                await asyncio.wait([left])
                return type(left.exception()).__name__

            @expose
            async def work(self):
                return 1
        with Sandbox(deadline=PATIENCE) as sb, self.assertLogs("pysandbox"):
            sb.grant("leaver", Leaver())
            for method in ("at_once", "soon", "interrupt"):
                with self.assertRaisesRegex(GuestError, "the method %s failed" % method):
                    sb.eval("leaver.%s()" % method)
                self.assertEqual(sb.eval("leaver.work()"), 1)

            async def main():
                async with AsyncSandbox() as sb:
                    sb.grant("leaver", Leaver())
                    with self.assertRaisesRegex(GuestError, "the method soon failed"):
                        await sb.eval("leaver.soon()")
            asyncio.run(main())
            self.assertEqual(sb.eval("leaver.task()"), "SystemExit")


if __name__ == "__main__":
    unittest.main()
