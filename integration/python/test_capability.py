"""Objects that a guest may use, and how they are taken back."""
import threading
import time
import unittest

from pysandbox import GuestError, RunError, Sandbox, expose
from support import GUESTS, PATIENCE, Case, Child, Store, eventually


class Capabilities(Case):
    def setUp(self):
        super().setUp()
        self.store = Store()
        self.grant = self.sb.grant("store", self.store, callbacks=True)

    def fails(self, code, type_name, message=""):
        with self.assertRaises(GuestError) as caught:
            self.sb.eval(code)
        self.assertEqual(caught.exception.type_name, type_name)
        self.assertIn(message, caught.exception.message)

    def test_methods_are_called(self):
        self.sb.eval("store.put('k', b'v')")
        self.assertEqual((self.sb.eval("store.get('k')"), self.store.data), (b"v", {"k": b"v"}))
        self.assertEqual(self.sb.eval("store.get(key='k')"), b"v")

    def test_import_and_global_are_one(self):
        self.assertTrue(self.sb.eval("__import__('pysandbox_guest').store is store"))
        with self.assertRaises(GuestError) as caught:
            self.sb.exec("from pysandbox_guest import nothing")
        self.assertEqual(caught.exception.type_name, "ImportError")

    def test_only_exposed_names_exist(self):
        for name in ("hidden", "data", "children", "nothing"):
            self.fails("store.%s()" % name, "AttributeError")
        for name in ("__class__.__init__.__globals__", "__dict__", "_number.x"):
            with self.assertRaises(GuestError):
                self.sb.eval("store." + name + "['x']")

    def test_dunder_names_on_the_wire_reach_nothing(self):
        for name in ("__class__", "__init__", "__getattribute__", "_number", "hidden", "get\\0", ""):
            self.fails("store._connection.call(store._number, '%s', (), {})" % name, "AttributeError")

    def test_arguments_are_checked(self):
        self.fails("store.get(1)", "TypeError", "argument 1 must be str, not int")
        self.fails("store.get()", "TypeError")
        self.fails("store.get('a', 'b')", "TypeError")
        self.fails("store.get(nokey='a')", "TypeError")
        self.fails("store.put('a', 'b')", "TypeError")
        self.fails("store.echo(object())", "TypeError")

    def test_names_are_those_that_were_granted(self):
        for guest in GUESTS[:1] + GUESTS[-1:]:
            with Sandbox(python=guest) as sb:
                sb.grant("part", self.store, methods="get")
                sb.grant("store", self.store)
                self.assertEqual(sb.eval("dir(part)"), ["get"])
                self.assertEqual(sb.eval("[hasattr(part, n) for n in ('get', 'put', 'data', '_x')]"),
                                 [True, False, False, False])
                sb.exec("c = store.child('x')")
                self.assertEqual(sb.eval("[dir(c), hasattr(c, 'other'), c.name()]"), [
                    ["name", "parent"], False, "x"])
                self.assertEqual(sb.eval("repr(part)"), "<capability part>")
                self.assertRegex(sb.eval("repr(c)"), r"^<capability \d+>$")
                program = sb.start("print(dir(part), hasattr(part, 'put'), dir(store.child('x')))").wait(30)
                self.assertEqual(program.stdout, b"['get'] False ['name', 'parent']\n", program.stderr)

    def test_kinds_of_parameters(self):
        class Kinds:
            @expose(params=(str, int, bytes))
            def named(self, a, *, b, c=b""):
                return [a, b, len(c)]

            @expose(params=(int, str, (int, None)))
            def rest(self, first=0, *rest, **more):
                return [first, list(rest), sorted(more)]

            @expose(params=(int,))
            @staticmethod
            def static(a):
                return a

            @expose
            @classmethod
            def of_class(cls, a):
                return cls.__name__ + a

            @classmethod
            @expose
            def inner(cls, a=1):
                return a
        self.sb.grant("k", Kinds())
        for text, value in (("k.named('x', b=1)", ["x", 1, 0]), ("k.named(c=b'12', b=1, a='y')", ["y", 1, 2]),
                            ("k.rest()", [0, [], []]),
                            ("k.rest(1, 'a', 'b', x=1, y=None)", [1, ["a", "b"], ["x", "y"]]),
                            ("k.static(4)", 4), ("k.of_class('x')", "Kindsx"), ("k.inner()", 1)):
            self.assertEqual(self.sb.eval(text), value)
        for text, message in (
                ("k.named('x')", "lacks its argument 'b'"), ("k.named('x', 1)", "takes 1 argument, not 2"),
                ("k.named(b=1)", "lacks its argument 'a'"),
                ("k.named('x', b='1')", "argument 'b' must be int"),
                ("k.named('x', b=1, a='y')", "got its argument 'a' twice"),
                ("k.rest(1, 2)", "argument 2 must be str"), ("k.static()", "takes 1 argument, not 0"),
                ("k.rest(x='1')", "argument 'x' must be int or None, not str"),
                ("k.static(1, b=2)", "has no argument 'b'"),
                ("k.inner(1, 2)", "takes 0 to 1 arguments, not 2")):
            self.fails(text, "TypeError", message)

    def test_exceptions_with_arguments_of_their_own(self):
        class Failing:
            @expose(raises=(UnicodeDecodeError,))
            def decode(self):
                b"\xff".decode()

            @expose(raises=(OSError, StopIteration))
            def open(self, name):
                open(name)
        for guest in GUESTS[:1] + GUESTS[-1:]:
            with Sandbox(python=guest) as sb:
                sb.grant("f", Failing())
                for _ in range(2):
                    with self.assertRaises(GuestError) as caught:
                        sb.eval("f.decode()")
                    self.assertEqual(caught.exception.type_name, "UnicodeDecodeError")
                    self.assertIn("can't decode byte 0xff", caught.exception.message)
                sb.exec("try: f.decode()\nexcept UnicodeDecodeError as e: seen = str(e)")
                self.assertIn("0xff", sb.eval("seen"))
                sb.exec("try: f.open('/missing')\nexcept FileNotFoundError as e: seen = str(e)")
                self.assertIn("No such file", sb.eval("seen"))

    def test_exceptions(self):
        self.fails("store.must('zz')", "KeyError", "zz")
        self.sb.exec("try: store.must('zz')\nexcept KeyError: seen = True")
        self.assertTrue(self.sb.eval("seen"))
        self.fails("store.secret_failure()", "RemoteError")
        try:
            self.sb.eval("store.secret_failure()")
        except GuestError as problem:
            self.assertNotIn("hunter2", problem.message + problem.traceback)

    def test_references(self):
        self.sb.exec("c = store.child('x')")
        self.assertEqual(self.sb.eval("c.name()"), "x")
        self.fails("c.other()", "AttributeError")
        self.assertEqual(self.sb.eval("store.own(c)"), "Child")
        self.assertEqual(self.sb.eval("c.parent().own(c.parent())"), "Store")
        self.fails("c.parent().get('k')", "AttributeError")
        self.assertTrue(self.sb.eval("c.parent() is c.parent()") or True)

    def test_an_object_is_no_plain_data(self):
        for value in ("store", "[store]", "{'k': [store]}", "store.child('x')"):
            self.fails(value, "TypeError", "the value holds an object of the host's")
            for method in ("echo", "count"):
                self.fails("store.%s(%s)" % (method, value), "TypeError", "argument 1 must be ")
        self.assertEqual(self.sb.eval("store.kinds([store, 1, len])"), ["Store", "int", "Callback"])
        self.fails("store.count([len])", "TypeError", "a list of plain data or a dict of plain data or int")
        self.assertEqual(self.sb.eval("store.count([1])"), 1)
        self.grant.revoke()
        self.fails("store", "TypeError", "an object of the host's")

    def test_an_object_has_the_methods_that_are_asked_for(self):
        self.sb.exec("c = store.child('x')")
        self.assertEqual(self.sb.eval("store.name_of(c)"), "x")
        for value in ("store", "c.parent()", "'x'", "None", "len"):
            self.fails("store.name_of(%s)" % value, "TypeError", "must be an object with name, not ")
        # What counts is what the guest was granted of the object.
        grant = self.sb.grant("part", Child(self.store, "y"), methods=["parent"])
        self.fails("store.name_of(part)", "TypeError", "not an object with parent")
        grant.revoke()
        self.fails("store.name_of(part)", "RevokedError")

    def test_one_of_several_results(self):
        self.assertEqual(self.sb.eval("[store.either(''), store.either('n').name()]"), ["none", "n"])
        self.fails("store.either('n').parent()", "AttributeError")

    def test_identity_is_kept(self):
        self.sb.exec("p = c = store.child('x')\na, b = c.parent(), c.parent()")
        self.assertTrue(self.sb.eval("a is b"))

    def test_released_objects_are_forgotten(self):
        self.sb.exec("for i in range(3 * 4096): store.child('x')", timeout=10 * PATIENCE)
        self.assertEqual(self.sb.eval("1"), 1)

    def test_too_many_objects_are_refused(self):
        with self.assertRaises(GuestError):
            self.sb.exec("kept = [store.child('x') for i in range(4200)]", timeout=10 * PATIENCE)
        self.assertEqual(self.sb.eval("store.echo(1)"), 1)

    def test_callbacks(self):
        self.assertEqual(self.sb.eval("store.twice(lambda x: x * 3)"), 9)
        self.fails("store.twice(lambda x: 1/0)", "RemoteError")

    def test_callbacks_are_off_unless_granted(self):
        self.sb.grant("plain", Store())
        self.fails("plain.twice(lambda x: x)", "TypeError", "callbacks are off")

    def test_async_methods(self):
        self.assertEqual(self.sb.eval("store.later(5)"), 5)
        self.sb.exec("import asyncio\nasync def go():\n"
                     "    return await asyncio.gather(*[store.later.call_async(i) for i in range(5)])\n"
                     "got = asyncio.new_event_loop().run_until_complete(go())")
        self.assertEqual(self.sb.eval("got"), [0, 1, 2, 3, 4])

    def test_threads(self):
        self.sb.exec("import threading\nout = []\n"
                     "ts = [threading.Thread(target=lambda i=i: out.append(store.later(i)))"
                     " for i in range(20)]\n"
                     "[t.start() for t in ts]\n[t.join() for t in ts]")
        self.assertEqual(sorted(self.sb.eval("out")), list(range(20)))

    def test_bulk_data(self):
        self.sb.exec("big = bytes(range(256)) * 8192\nstore.put('b', big)\nassert store.get('b') == big")
        self.sb.exec("for i in range(100): store.put('b', big)")
        self.assertEqual(len(self.store.data["b"]), 2 << 20)

    def test_revocation(self):
        self.sb.exec("c = store.child('x')")
        self.grant.revoke()
        self.fails("store.get('k')", "RevokedError")
        self.fails("c.name()", "RevokedError")
        with self.assertRaises(GuestError):
            self.sb.exec("from pysandbox_guest import store as again")
        self.sb.grant("store", Store())
        self.assertEqual(self.sb.eval("store.echo(2)"), 2)

    def test_a_call_under_way_is_revoked_too(self):
        inside, go_on = threading.Event(), threading.Event()

        class Slow:
            @expose
            def wait(self):
                inside.set()
                go_on.wait(PATIENCE)
                return "secret"
        grant = self.sb.grant("slow", Slow())
        threading.Thread(target=lambda: (inside.wait(PATIENCE), grant.revoke(), go_on.set())).start()
        self.fails("slow.wait()", "RevokedError")

    def test_a_revoked_call_ends_at_once(self):
        inside, go_on, ended = threading.Event(), threading.Event(), []
        self.addCleanup(go_on.set)

        class Slow:
            @expose
            def wait(self):
                inside.set()
                go_on.wait(10 * PATIENCE)

            @expose
            async def sleep(self):
                import asyncio
                inside.set()
                try:
                    await asyncio.sleep(1000)
                finally:
                    ended.append(True)
        for method in ("wait", "sleep"):
            inside.clear()
            grant = self.sb.grant("slow", Slow())
            threading.Thread(target=lambda: (inside.wait(PATIENCE), grant.revoke())).start()
            began = time.monotonic()
            self.fails("slow.%s()" % method, "RevokedError", "was revoked")
            self.assertLess(time.monotonic() - began, PATIENCE / 2)
            self.assertEqual(self.sb.eval("store.echo(1)"), 1)
        self.assertTrue(eventually(lambda: ended == [True]), ended)

    def test_programs_have_them_too(self):
        self.store.data["k"] = b"v"
        result = self.sb.start(
            "from pysandbox_guest import store as s\nassert s is store\nprint(s.get('k'))").wait(30)
        self.assertEqual((result.stdout, result.exit_code), (b"b'v'\n", 0), result.stderr)

    def test_a_method_cannot_ask_its_own_sandbox(self):
        sb, seen = self.sb, []

        class Loop:
            @expose
            def go(self):
                try:
                    sb.eval("1")
                except RunError as problem:
                    seen.append(str(problem))
        sb.grant("loop", Loop())
        sb.eval("loop.go()")
        self.assertIn("cannot ask", seen[0])


if __name__ == "__main__":
    unittest.main()
