"""Every Python found, from 3.8 on, as the guest."""
import json
import os
import subprocess
import tempfile
import unittest

from pysandbox import GuestError, Sandbox
from pysandbox.rexec import RExec
from support import GUESTS, Store

BINARY = os.environ.get("PYSANDBOX_BINARY", "")


class Guests(unittest.TestCase):
    def each(self):
        self.assertTrue(GUESTS, "PYSANDBOX_GUESTS names no interpreter")
        for path in GUESTS:
            with self.subTest(path):
                yield path

    def test_requests_capabilities_and_callbacks(self):
        for path in self.each():
            with Sandbox(python=path) as sb:
                store = Store()
                sb.grant("store", store, callbacks=True)
                sb.exec("import sys\nstore.put('k', bytes(1 << 20))\nc = store.child('x')")
                self.assertEqual(len(store.data["k"]), 1 << 20)
                self.assertEqual(sb.eval("c.name()"), "x")
                self.assertEqual(sb.eval("store.twice(lambda x: x + 1)"), 3)
                with self.assertRaises(GuestError) as caught:
                    sb.exec("store.must('zz')")
                self.assertEqual(caught.exception.type_name, "KeyError")
                self.assertIn("python" + ".".join(
                    map(str, sb.eval("list(sys.version_info[:2])"))), sb.eval("__import__('os').__file__"))

    def test_rexec(self):
        for path in self.each():
            with RExec(python=path) as r:
                r.r_exec("import json, re, collections, random, datetime")
                self.assertEqual(r.r_eval("json.dumps([1])"), "[1]")


class Modules(unittest.TestCase):
    """Rules on imports hold against those who go around the finder."""

    CODE = r"""
import sys, json
out = {}
try:
    import ctypes
except ImportError as e:
    out["refusal"] = str(e)
sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "pysandbox_guest._rules"]
import builtins, importlib.util, os
found = []
for top in sys.path:
    for name in ("ctypes/__init__.py", "ctypes/util.py", "secrets.py"):
        try:
            found.append(open(os.path.join(top, name)).name)
        except OSError:
            pass
    for where in (top, os.path.join(top, "__pycache__")):
        try:
            names = os.listdir(where)
        except OSError:
            continue
        for name in names:
            if name.startswith(("_ctypes.", "secrets.")):
                try:
                    found.append(open(os.path.join(where, name), "rb").name)
                except OSError:
                    pass
out["found"] = found
try:
    import ctypes
    ctypes.CDLL
    out["loaded"] = True
except (ImportError, AttributeError):
    out["loaded"] = False
import json.decoder
print(json.dumps(out))
"""

    def run_with(self, path, modules):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "extends": "strict", "python": {"modules": modules}}, file)
            file.flush()
            done = subprocess.run([BINARY, "exec", "--policy", file.name, "--python", path, "-c", self.CODE],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return json.loads(done.stdout)

    def test_denied_and_not_allowed(self):
        for path in GUESTS:
            for modules, words in (({"deny": ["ctypes", "secrets"]}, "python.modules.deny = ['ctypes']"),
                                   ({"allow": [
                                       "json", "importlib"]}, "not in python.modules.allow; add 'ctypes'")):
                with self.subTest(path, modules=modules):
                    out = self.run_with(path, modules)
                    self.assertIn(words, out["refusal"])
                    self.assertEqual((out["found"], out["loaded"]), ([], False))

    def test_the_control_finds_them(self):
        path = GUESTS[0]
        out = self.run_with(path, {"deny": ["this"]})
        self.assertNotIn("refusal", out)
        self.assertTrue(out["found"] and out["loaded"])

    def test_explain_says_who_enforces(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump(
                {"version": 1, "extends": "strict", "python": {"modules": {"deny": ["ctypes", "sys"]}}}, file)
            file.flush()
            text = subprocess.run(
                [BINARY, "explain", "--policy", file.name, "-c", ""], capture_output=True, text=True).stdout
        self.assertRegex(text, r"deny +ctypes +mount namespace, interpreter")
        self.assertRegex(text, r"deny +sys +interpreter")


if __name__ == "__main__":
    unittest.main()
