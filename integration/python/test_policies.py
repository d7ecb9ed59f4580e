"""Policies, as a host's code names and narrows them."""
import copy
import os
import pathlib
import sys
import tempfile
import types
import unittest

from pysandbox import Policy, PolicyError, Sandbox
from support import Store


class Policies(unittest.TestCase):
    def test_paths_in_a_dict_are_relative_to_the_working_directory(self):
        before = os.getcwd()
        with tempfile.TemporaryDirectory() as top:
            top = os.path.realpath(top)
            os.mkdir(os.path.join(top, "sub"))
            os.symlink(sys.executable, os.path.join(top, "python"))
            os.chdir(top)
            try:
                for document in ({"files": {"read": ["sub"]}}, {"replace": {"files": {"read": ["sub"]}}},
                                 {"files": {"read": [pathlib.Path("sub")]}}):
                    document.update({"process": {"cwd": "sub"}, "python": {"interpreter": "./python"}})
                    given = copy.deepcopy(document)
                    with Sandbox(dict(document, extends="strict")) as sb:
                        self.assertEqual(sb.eval("__import__('os').getcwd()"), os.path.join(top, "sub"))
                    self.assertEqual(document, given)
            finally:
                os.chdir(before)
        for document, word in (({"read": "sub"}, "a list"), ({"read": [5]}, "a path"),
                               ({"read": ["~/x"]}, "~ is not expanded")):
            with self.assertRaisesRegex(PolicyError, word):
                Policy.parse({"extends": "strict", "files": document})

    def test_narrow_never_widens(self):
        policy = Policy.preset("strict")
        narrower = policy.narrow(memory="128MiB", wall=5, deny_net=["tcp://*:25"])
        self.assertEqual(narrower.plan()["Limits"]["Memory"], 128 << 20)
        self.assertEqual(policy.plan()["Limits"]["Memory"], 512 << 20)
        for wrong in ({"memory": "1GiB"}, {
                "memory": "129MiB"}, {"wall": 6}, {"pids": 0}, {"colour": 1}, {"memory": "a lot"}):
            with self.assertRaises(PolicyError, msg=str(wrong)):
                narrower.narrow(**wrong)

    def test_a_limit_that_would_grow_is_told_as_it_is_written(self):
        policy = Policy.preset("strict").narrow(wall=90, cpu="1500ms", output=1000)
        for name, value, limit in (("memory", "1G", "512MiB"), ("wall", 91, "90s"), ("cpu", 2, "1500ms"),
                                   ("output", "1k", "1000"), ("pids", 65, "64")):
            with self.assertRaises(PolicyError) as caught:
                policy.narrow(**{name: value})
            self.assertEqual(str(caught.exception), (
                "narrow(%s=%r) would widen the policy, whose limits.%s is %s; raise it there, as with "
                "Policy.parse or in the policy's file" % (name, value, name, limit)))

    def test_narrow_reads_amounts_as_the_command_line_does(self):
        policy = Policy.preset("strict")
        sizes = {"64k": 64 << 10, "1MiB": 1 << 20, "2m": 2 << 20, "1kib": 1024, "1000": 1000}
        for text, size in sizes.items():
            self.assertEqual(policy.narrow(output=text).plan()["Limits"]["Output"], size)
        for value, nanoseconds in (("1.5s", 1500 * 10**6), ("1s500ms", 1500 * 10**6), (0.25, 250 * 10**6)):
            self.assertEqual(policy.narrow(wall=value).plan()["Limits"]["Wall"], nanoseconds)
        for wrong in ({"output": "1.5M"}, {"output": 1.5}, {"output": "1 k"}, {"wall": "1"}, {"wall": "none"},
                      {"wall": float("nan")}, {"pids": "4k"}, {"pids": True}):
            with self.assertRaisesRegex(PolicyError, "that is no ", msg=str(wrong)):
                policy.narrow(**wrong)
        for wrong in ({"wall": 0}, {"wall": -1}, {"wall": "0s"}, {"pids": 0}, {"memory": "0"}):
            with self.assertRaisesRegex(PolicyError, "must be above zero", msg=str(wrong)):
                policy.narrow(**wrong)

    def test_one_rule_is_a_list_of_one(self):
        policy = Policy.preset("strict")
        self.assertEqual(policy.narrow(deny_net="203.0.113.0/24").plan()["Network"],
                         policy.narrow(deny_net=["203.0.113.0/24"]).plan()["Network"])
        with self.assertRaisesRegex(PolicyError, "deny_net"):
            policy.narrow(deny_net="nonsense:::")

    def test_a_module_that_is_nowhere_is_logged(self):
        document = {"extends": "strict", "python": {"modules": {"deny": ["ctypes", "nosuchmodule"]}}}
        with self.assertLogs("pysandbox", "WARNING") as logged:
            Policy.parse(document).narrow(wall=1)
        self.assertEqual(len(logged.output), 1)
        self.assertIn("no module nosuchmodule was found", logged.output[0])

    def test_what_is_no_dict_is_told_what_reads_it(self):
        for given in ("version = 1", b"{}", [("version", 1)], None):
            with self.assertRaises(TypeError) as caught:
                Policy.parse(given)
            self.assertEqual(str(caught.exception), "document is of type %s; it must be a dict with the keys "
                             "of a policy file, and a file is read by Policy.load" % type(given).__name__)

    def test_a_mistake_in_a_dict_is_one_of_the_policy(self):
        for document, words in (({"limits": {"memroy": "1M"}}, 'policy: unknown key "memroy"'),
                                ({"limits": {"memory": "1.5M"}}, "policy: limits.memory: expected a size")):
            with self.assertRaises(PolicyError) as caught:
                Policy.parse({"extends": "strict", **document})
            self.assertTrue(str(caught.exception).startswith(words), caught.exception)
            self.assertNotIn("/proc/", str(caught.exception))

    def test_what_json_has_no_word_for_is_named_by_its_key(self):
        itself = {"version": 1}
        itself["env"] = itself
        for document, words in (
                ({"network": {"allow": {"a"}}}, "network.allow: found the set {'a'}; write a list"),
                ({"network": {"allow": ["a", b"b"]}}, "network.allow[1]: found the bytes b'b'; write a str"),
                ({"limits": {"cpu_quota": float("nan")}}, "limits.cpu_quota: nan is no number"),
                ({"limits": {"cpu_quota": float("-inf")}}, "limits.cpu_quota: -inf is no number"),
                ({"env": {"set": {1: "x"}}}, "env.set: the key 1 is no text; write it as a str"),
                ({"env": {"set": {"A": object}}}, "env.set.A: found the type <class 'object'>; write "),
                ({"env": {"set": {"A": pathlib.Path("/")}}}, "env.set.A: there is no path here; write a str"),
                ({"files": {"read": [os.fsdecode(b"/\xff")]}}, "files.read[0]: '/\\udcff' is no UTF-8"),
                ({"\ud800": 1}, "'\\ud800' is no UTF-8"),
                (itself, "env.env.")):
            with self.subTest(words), self.assertRaises(PolicyError) as caught:
                Policy.parse(document)
            text = str(caught.exception)
            self.assertTrue(text.startswith("policy: " + words), text)
            self.assertTrue(text.isprintable(), text)
        with self.assertRaisesRegex(PolicyError, "nested too deeply"):
            Policy.parse(itself)
        inner = types.MappingProxyType({"set": {"A": "b"}, "pass": ("A",)})
        Policy.parse(types.MappingProxyType({"env": inner}))

    def test_mistakes_name_their_place(self):
        with tempfile.NamedTemporaryFile("w", suffix=".toml") as file:
            file.write('version = 1\n[limits]\nmemroy = "1M"\n')
            file.flush()
            with self.assertRaises(PolicyError) as caught:
                Policy.load(file.name)
        self.assertIn(":3:", str(caught.exception))
        self.assertIn("memroy", str(caught.exception))
        with self.assertRaises(PolicyError):
            Policy.preset("lax")

    def test_policies_may_limit_grants(self):
        with Sandbox({"extends": "strict", "capabilities": {"grant": ["store"]}}) as sb:
            sb.grant("store", Store())
            self.assertEqual(sb.eval("store.echo(1)"), 1)
            with self.assertRaises(PolicyError):
                sb.grant("other", Store())


if __name__ == "__main__":
    unittest.main()
