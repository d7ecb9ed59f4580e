"""Every Python found, from 3.8 on, as the guest."""
import json
import os
import subprocess
import tempfile
import unittest

from pysandbox import DeadlineError, GuestError, Sandbox
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
out = {"refusals": []}
for name in ("ctypes", "secrets", "sqlite3"):
    try:
        __import__(name)
    except ImportError as e:
        out["refusals"].append(str(e))
sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "pysandbox_guest._rules"]
sys.path_importer_cache.clear()
import builtins, importlib.machinery, importlib.util, os, zipimport
DENIED = ("ctypes", "_ctypes.", "secrets.", "sqlite3", "_sqlite3.")
NAMES = ("ctypes", "ctypes/__init__.py", "ctypes/util.py", "secrets.py", "sqlite3", "sqlite3/dbapi2.py")
found = out["found"] = []

def attempt(what, function, *args):
    try:
        function(*args)
        found.append([what, str(args[-1])])
    except (OSError, ImportError):
        pass

for top in sys.path:
    for name in NAMES:
        path = os.path.join(top, name)
        for function in (os.stat, os.lstat, os.listdir, open):
            attempt(function.__name__, function, path)
        attempt("source", lambda p: importlib.machinery.SourceFileLoader("m", p).get_code("m"), path)
        attempt("zip", zipimport.zipimporter, path)
    for where in (top, os.path.join(top, "__pycache__"), os.path.join(top, "lib-dynload")):
        for listing in (os.listdir, lambda d: [e.name for e in os.scandir(d)]):
            try:
                names = listing(where)
            except OSError:
                continue
            found += [["listing", where + "/" + name] for name in names if name.startswith(DENIED)]
        for suffix in importlib.machinery.EXTENSION_SUFFIXES:
            for name in ("_ctypes", "_sqlite3"):
                path = os.path.join(where, name + suffix)
                attempt("open", open, path, "rb")
                attempt("extension", lambda p: importlib.util.module_from_spec(
                    importlib.util.spec_from_file_location("_x", p)), path)
for name in ("ctypes", "_ctypes", "secrets", "sqlite3", "_sqlite3"):
    attempt("import", lambda n: __import__(n), name)
import json.decoder
print(json.dumps(out))
"""

    def run_with(self, path, modules, code=CODE):
        return json.loads(self.run_it(path, modules, code)[0])

    def run_it(self, path, modules, code):
        """What the code writes to its output and to its error stream."""
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "extends": "strict", "python": {"modules": modules}}, file)
            file.flush()
            done = subprocess.run([BINARY, "exec", "--policy", file.name, "--python", path, "-c", code],
                                  capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout, done.stderr

    def test_denied_and_not_allowed(self):
        for path in GUESTS:
            for modules, words in (
                    ({"deny": ["ctypes", "secrets", "sqlite3"]}, "python.modules.deny = [%r]"),
                    ({"allow": ["builtins", "json", "importlib", "os", "sys", "zipimport"]},
                     "not in python.modules.allow; add %r")):
                with self.subTest(path, modules=modules):
                    out = self.run_with(path, modules)
                    for name, refusal in zip(("ctypes", "secrets", "sqlite3"), out["refusals"]):
                        self.assertIn(words % name, refusal)
                    self.assertEqual((len(out["refusals"]), out["found"]), (3, []))

    def test_what_is_needed_is_not_for_the_program(self):
        code = r"""
import json, codecs
from json import decoder
for statement in ("import os", "import sys, re", "from collections import abc", "import tarfile",
                  "import builtins", "__import__('os')"):
    try:
        exec(statement)
        print(statement)
    except ImportError as e:
        assert "not in python.modules.allow; add" in str(e), e
"""
        for path in GUESTS:
            with self.subTest(path):
                self.assertEqual(self.run_it(path, {"allow": ["json", "codecs"]}, code), ("", ""))
                self.assertEqual(self.run_it(path, {"allow": ["urllib.request"]}, (
                    "from __future__ import annotations\nimport urllib\nfrom urllib import request\n"
                    "try:\n    from urllib import error\nexcept ImportError as e:\n    print(e)")),
                    ("import of urllib.error is not in python.modules.allow; "
                     "add 'urllib.error' to allow it\n", ""))

    def test_the_policy_is_named_however_a_module_is_imported(self):
        code = r"""
for statement in ("from urllib import request", "import multiprocessing", "from multiprocessing import Pool",
                  "from concurrent.futures import ProcessPoolExecutor", "from urllib import nonsense",
                  "from urllib import *", "from urllib import parse, error"):
    try:
        exec(statement)
        print("imported")
    except ImportError as e:
        print(str(e).partition(" (")[0])
"""
        denied = "import of %s is denied by python.modules.deny = ['%s']\n"
        rest = denied % ("multiprocessing.context", "multiprocessing.*")
        for path in GUESTS:
            with self.subTest(path):
                out, _ = self.run_it(path, {"deny": ["urllib.request", "multiprocessing.*"]}, code)
                self.assertEqual(out, denied % ("urllib.request", "urllib.request") + 3 * rest
                                 + "cannot import name 'nonsense' from 'urllib'\nimported\nimported\n")

    def test_a_deadline_stops_what_runs_whatever_is_allowed(self):
        for path in GUESTS:
            for code in ("while True: pass", "import time\nwhile True: time.sleep(5)"):
                with self.subTest(path, code=code):
                    with Sandbox({"python": {"modules": {"allow": ["time"]}}}, python=path) as sb:
                        with self.assertRaises(DeadlineError) as caught:
                            sb.exec(code, timeout=0.3)
                        self.assertFalse(caught.exception.killed)
                        self.assertEqual(sb.eval("1"), 1)
                        with self.assertRaises(GuestError) as refused:
                            sb.exec("import select")
                        self.assertIn("python.modules.allow", refused.exception.message)

    def test_floats_cross_whatever_is_denied(self):
        for path in GUESTS:
            policy = {"python": {"modules": {"deny": ["struct"]}}}
            with self.subTest(path), Sandbox(policy, python=path) as sb:
                self.assertEqual(sb.eval("[1.5, float('inf')]"), [1.5, float("inf")])
                with self.assertRaises(GuestError):
                    sb.exec("import struct")

    def test_explain_says_what_else_is_there(self):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "python": {"modules": {"allow": ["json"], "deny": ["shutil"]}}}, file)
            file.flush()
            done = subprocess.run([BINARY, "explain", "--policy", file.name, "--python", GUESTS[0]],
                                  capture_output=True, text=True, check=True)
        rows = [line.split(None, 1) for line in done.stdout.splitlines()]
        needed = ", ".join(row[1].replace("interpreter", "").strip() for row in rows if row[:1] == ["needed"])
        self.assertIn("enum", needed.split(", "))
        self.assertFalse({"json", "shutil", "sqlite3"} & set(needed.split(", ")), needed)

    def test_numpy_has_what_it_needs(self):
        code = ("import numpy, numpy.random\n"
                "print(int(numpy.arange(6).sum()), numpy.random.default_rng(1).random() < 1)")
        self.assertEqual(self.run_it("/usr/bin/python3", {"allow": ["numpy"]}, code), ("15 True\n", ""))

    def test_a_module_that_is_nowhere_is_told(self):
        modules = {"allow": ["nosuch", "json", "os.path"], "deny": ["nosuchmodule", "ctypes"]}
        _, err = self.run_it(GUESTS[0], modules, "import json")
        lines = err.splitlines()
        self.assertEqual(len(lines), 2, err)
        self.assertIn("python.modules.allow: no module nosuch was found", lines[0])
        self.assertIn("python.modules.deny: no module nosuchmodule was found", lines[1])
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "extends": "strict", "python": {"modules": modules}}, file)
            file.flush()
            done = subprocess.run([BINARY, "check", file.name], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("python.modules.allow: no module nosuch was found", done.stderr)

    def test_the_control_finds_them(self):
        for path in GUESTS:
            with self.subTest(path):
                out = self.run_with(path, {"deny": ["this"]})
                self.assertEqual(out["refusals"], [])
                kinds = {what for what, _ in out["found"]}
                self.assertLessEqual({"stat", "listdir", "open", "source", "listing", "import"}, kinds)

    def test_ctypes_cannot_load_a_denied_extension(self):
        code = r"""
import ctypes, json, os, sys, importlib.machinery as m
out = {"refusals": [], "found": []}
for top in sys.path:
    for name in ("_bz2", "_lzma"):
        for suffix in m.EXTENSION_SUFFIXES:
            try:
                ctypes.PyDLL(os.path.join(top, name + suffix))
                out["found"].append(name)
            except OSError:
                pass
print(json.dumps(out))
"""
        for path in GUESTS:
            with self.subTest(path):
                self.assertNotIn("_bz2", self.run_with(path, {"deny": ["bz2"]}, code)["found"])
                control = self.run_with(path, {"deny": ["this"]}, code)["found"]
                self.assertEqual("_bz2" in control, self.run_with(
                    path, {"deny": ["lzma"]}, code)["found"] == ["_bz2"])

    def test_what_lies_beside_a_denied_module_is_there(self):
        code = r"""
import json, os, sys
import email.mime.text, http.client, logging.handlers, statistics, xml.dom.minidom, hashlib, bz2
out = {"refusals": [], "found": []}
try:
    import email.mime.audio
except ImportError as problem:
    out["refusals"].append(str(problem))
out["found"] = [n for n in os.listdir(os.path.dirname(email.mime.text.__file__)) if n.startswith("audio")]
print(json.dumps(out))
"""
        for path in GUESTS:
            with self.subTest(path):
                out = self.run_with(path, {"deny": ["ctypes", "secrets", "email.mime.audio"]}, code)
                self.assertEqual((len(out["refusals"]), out["found"]), (1, []))

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
