"""rexec and Bastion: one test for each row of the parity table, with Python 2.7's
own rexec as the oracle where there is one (PYSANDBOX_ORACLE).
"""
import contextlib
import io
import json
import os
import re
import select
import subprocess
import sys
import tempfile
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from pysandbox import DeadlineError, GuestError, LimitError, Policy
from pysandbox.bastion import Bastion, BastionClass
from pysandbox.rexec import RExec, RHooks
from support import GUESTS

# What the standard library computes with, on every version.
COMPUTES = """abc argparse ast base64 bz2 calendar codecs collections configparser contextlib contextvars copy
csv dataclasses datetime decimal difflib dis enum fnmatch fractions functools gc gettext hashlib heapq hmac
html.parser inspect json keyword logging lzma numbers optparse pathlib pickle pprint queue random re sched
secrets shlex shutil statistics string struct symtable tarfile tempfile textwrap threading timeit tokenize
traceback types typing unicodedata urllib.parse warnings weakref xml.etree.ElementTree zipfile zlib""".split()
ORACLE = os.environ.get("PYSANDBOX_ORACLE", "")
_PRELUDE = "import sys, json; sys.path.insert(0, %r); from rexec import RExec; r = RExec()\n"


def oracle(source):
    """What 2.7's rexec says: source sets `out`. Its library's own `raise` is taken
    out of a copy."""
    library = os.path.join(os.path.dirname(os.path.dirname(ORACLE)), "lib/python2.7/rexec.py")
    with tempfile.TemporaryDirectory() as top, open(library) as file:
        guard = r'(?m)^(\s+)raise RuntimeError, "This code is not secure in Python 2\.2 and later"'
        text = re.sub(guard, r"\1pass", file.read())
        with open(os.path.join(top, "rexec.py"), "w") as copy:
            copy.write(text)
        script = _PRELUDE % top + source + "\nsys.__stdout__.write(json.dumps(out))"
        done = subprocess.run([ORACLE, "-c", script], capture_output=True, text=True)
        if done.returncode:
            raise AssertionError(done.stderr)
        return json.loads(done.stdout)


class Cell(unittest.TestCase):
    kind = RExec

    def setUp(self):
        self.r = self.kind()
        self.addCleanup(self.r.close)

    def fails(self, code, type_name, message=""):
        with self.assertRaises(GuestError) as caught:
            self.r.r_exec(code)
        self.assertEqual(caught.exception.type_name, type_name)
        self.assertIn(message, caught.exception.message)


class Parity(Cell):
    def test_r_exec_r_eval_r_execfile_share_a_main(self):
        self.r.r_exec("x = 1")
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write("x += 1\n")
            file.flush()
            self.r.r_execfile(file.name)
        self.assertEqual(self.r.r_eval("x"), 2)

    def test_r_methods_have_no_streams(self):
        self.fails("print(1)", "RuntimeError", "lost sys.stdout")

    def test_threads_may_share_a_cell(self):
        with ThreadPoolExecutor(8) as pool:
            asked = [pool.submit(self.r.r_eval, "%d * 2" % n) for n in range(40)]
            self.assertEqual([one.result(60) for one in asked], [n * 2 for n in range(40)])

    def test_only_s_methods_lend_the_hosts_streams(self):
        # Whatever code finds in the cell: outside of an s_ method the host refuses.
        reach = "host = __import__.__globals__['state']['host']\n"
        calls = ("host.readline('stdin', 100)", "host.read('stdin', -1)",
                 "host.write('stdout', '\\033[31mred')",
                 "host.write('stderr', 'x')", "host.flush('stdout')")
        out, real = io.StringIO(), sys.stdin
        sys.stdin = io.StringIO("typed for the host\n")
        try:
            with contextlib.redirect_stdout(out), contextlib.redirect_stderr(out):
                for call in calls:
                    self.fails(reach + call, "RuntimeError", "no s_ method is running")
                self.assertEqual(sys.stdin.tell(), 0)
                self.assertEqual(out.getvalue(), "")
                # In an s_ method each is what it is for, and ends with it.
                self.r.s_exec(reach + "got = host.readline('stdin', 100)\nhost.write('stdout', 'seen')")
                with self.assertRaises(GuestError):
                    self.r.s_exec("raise ValueError")
                self.fails(reach + calls[2], "RuntimeError", "no s_ method is running")
        finally:
            sys.stdin = real
        self.assertEqual((out.getvalue(), self.r.r_eval("got")), ("seen", "typed for the host\n"))

    def test_a_thread_of_an_s_method_has_no_streams_after_it(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.r.s_exec(
                "import sys, threading\nfound, go, stream = [], threading.Event(), sys.stdout\n"
                "def late():\n    go.wait()\n    try:\n        stream.write('late')\n"
                "    except RuntimeError as e:\n        found.append(str(e))\n"
                "thread = threading.Thread(target=late)\nthread.start()\nstream.write('early')")
            self.r.r_exec("go.set()\nthread.join()")
        self.assertEqual(out.getvalue(), "early")
        self.assertIn("no s_ method is running", self.r.r_eval("found")[0])

    def test_s_methods_write_to_the_hosts_streams(self):
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            self.r.s_exec("import sys\nprint('one')\nsys.stdout.close()\nprint('two')")
        later = io.StringIO()
        with contextlib.redirect_stdout(later):
            self.r.s_exec("print('three')")
        self.assertEqual((out.getvalue(), later.getvalue()), ("one\ntwo\n", "three\n"))

    def test_s_methods_read_the_hosts_input(self):
        real, sys.stdin = sys.stdin, io.StringIO("first\nsecond\n")
        try:
            self.r.s_exec("import sys\na = sys.stdin.readline()\nb = [l for l in sys.stdin]")
        finally:
            sys.stdin = real
        self.assertEqual(self.r.r_eval("[a, b]"), ["first\n", ["second\n"]])

    def test_a_deadline_leaves_what_is_typed_later(self):
        import pty
        master, slave = pty.openpty()
        self.addCleanup(os.close, master)
        real = sys.stdin
        self.addCleanup(setattr, sys, "stdin", real)
        with RExec(timeout=1) as r, open(slave) as sys.stdin:
            r.r_exec("import sys")
            for call in "sys.stdin.readline()", "sys.stdin.read()", "sys.stdin.read(100)":
                with self.assertRaises(DeadlineError):
                    r.s_exec(call)
            os.write(master, b"one\ntwo\nthree\nfour\n")
            self.assertTrue(select.select([slave], [], [], 5)[0])
            time.sleep(0.2)
            self.assertEqual(sys.stdin.readline(), "one\n")
            r.s_exec("line, more = sys.stdin.readline, sys.stdin.read\na = line(), line(3), line(), more(2)")
            self.assertEqual(r.r_eval("list(a)"), ["two\n", "thr", "ee\n", "fo"])

    def test_s_eval_and_s_execfile(self):
        self.assertEqual(self.r.s_eval("1 + 1"), 2)

    def test_r_open_reads_only(self):
        for mode in ("w", "a", "r+", "rU", "wb"):
            self.fails(
                "open('/tmp/x', %r)" % mode, "OSError", "can't open files for writing in restricted mode")
        self.assertIn("sandbox", self.r.r_eval("open('/etc/passwd').read()"))
        with open("/etc/passwd") as hosts:
            self.assertNotEqual(hosts.read(), self.r.r_eval("open('/etc/passwd').read()"))
        with self.assertRaises(OSError):
            self.r.r_open("/tmp/x", "w")
        self.assertIn("sandbox", self.r.r_open("/etc/passwd").read())

    def test_r_import_r_reload_r_unload(self):
        with tempfile.TemporaryDirectory() as top:
            self.r.ok_path = (top,)
            with open(os.path.join(top, "mine.py"), "w") as file:
                file.write("x = 1\n")
            self.r.r_import("mine")
            self.assertEqual(self.r.r_eval("__import__('mine').x"), 1)
            with open(os.path.join(top, "mine.py"), "w") as file:
                file.write("x = 2\n")
            self.r.r_reload("mine")
            self.assertEqual(self.r.r_eval("__import__('mine').x"), 2)
            self.r.r_unload("mine")
            self.assertFalse(self.r.r_eval("'mine' in __import__('sys').modules"))

    def test_ok_builtin_modules(self):
        self.assertEqual(self.r.r_eval("__import__('math').floor(1.5)"), 1)
        for name in ("_socket", "socket", "_ctypes", "_posixsubprocess", "signal_nothing"):
            with self.assertRaises(GuestError, msg=name) as caught:
                self.r.r_exec("import " + name)
            self.assertIn(caught.exception.type_name, ("ImportError", "ModuleNotFoundError"))

    def test_what_computes_only_is_imported(self):
        for guest in GUESTS[:1] + GUESTS[-1:]:
            with self.kind(python=guest) as r:
                err = io.StringIO()
                with contextlib.redirect_stderr(err):
                    for run in (r.r_exec, r.s_exec):
                        for name in COMPUTES:
                            with self.subTest(guest, name=name, run=run):
                                run("import " + name)
                    r.s_exec("import hashlib, traceback\nd = [hashlib.new(n).hexdigest() for n in "
                             "('md5', 'sha1', 'sha256', 'sha3_256', 'blake2b')]\n"
                             "try: 1/0\nexcept ZeroDivisionError: traceback.print_exc()")
                self.assertRegex(err.getvalue(), r"\ATraceback [^\n]*\n(  .*\n)+ZeroDivisionError: .*\n\Z")
                r.r_exec("import decimal, logging\nlogging.warning('to nobody')")
                self.assertEqual(r.r_eval("str(decimal.Decimal('1.1') + 1)"), "2.1")
                self.assertEqual(r.r_eval("[hasattr(__import__('sys'), n) for n in ('stdout', 'stderr')]"),
                                 [False, False])
                with self.assertRaises(GuestError) as caught:
                    r.r_exec("import subprocess")
                # Some interpreters have it built in.
                self.assertRegex(caught.exception.message,
                                 "untrusted dynamic module: _|No module named '_posixsubprocess'")

    def test_ok_sys_names(self):
        self.assertEqual(self.r.r_eval("__import__('sys').argv"), ["RESTRICTED"])
        self.assertFalse(self.r.r_eval("hasattr(__import__('sys'), '_getframe')"))

    def test_ok_posix_names(self):
        self.assertTrue(self.r.r_eval("__import__('os').getpid() > 0"))
        self.assertFalse(self.r.r_eval("hasattr(__import__('os'), 'system')"))

    def test_nok_builtin_names(self):
        self.assertTrue(self.r.r_eval("open.__name__ == 'r_open' and reload.__name__ == 'r_reload'"))

    def test_the_environment_is_not_the_hosts(self):
        os.environ["SECRET_TOKEN"] = "x"
        self.addCleanup(os.environ.pop, "SECRET_TOKEN")
        self.assertNotIn("SECRET_TOKEN", self.r.r_eval("list(__import__('os').environ)"))

    def test_r_exc_info_has_no_traceback(self):
        self.r.r_exec("import sys\ntry: 1/0\nexcept ZeroDivisionError: t = sys.exc_info()[2]")
        self.assertIsNone(self.r.r_eval("t"))

    def test_system_exit_stays_inside(self):
        self.fails("raise SystemExit(1)", "SystemExit")
        self.assertEqual(self.r.r_eval("1"), 1)

    def test_compiled_code_is_never_loaded(self):
        with tempfile.TemporaryDirectory() as top:
            self.r.ok_path = (top,)
            with open(os.path.join(top, "forged.pyc"), "wb") as file:
                file.write(b"\0" * 64)
            self.fails("import forged", "ModuleNotFoundError")
        with self.assertRaises(ImportError):
            self.r.load_dynamic("x", "x.so", None)

    def test_code_objects_do_not_cross(self):
        with self.assertRaises(TypeError):
            self.r.r_exec(compile("1", "x", "exec"))

    def test_copy_only_and_except(self):
        self.r.copy_only("time", ["time"])
        self.assertTrue(
            self.r.r_eval("hasattr(__import__('time'), 'time') and not hasattr(__import__('time'), 'sleep')"))
        self.r.copy_except("time", ["sleep"])
        self.assertFalse(self.r.r_eval("hasattr(__import__('time'), 'sleep')"))

    def test_names_are_deleted(self):
        module = self.r.add_module("settings")
        module.level = 3
        del module.level
        self.assertEqual(self.r.r_eval("hasattr(__import__('settings'), 'level')"), False)
        with self.assertRaises(GuestError) as caught:
            del module.level
        self.assertEqual(caught.exception.type_name, "AttributeError")

    def test_add_module_and_plain_values(self):
        module = self.r.add_module("settings")
        module.colour = "red"
        self.assertEqual((self.r.r_eval("__import__('settings').colour"), module.colour), ("red", "red"))

    def test_the_escapes_of_2003_reach_nothing(self):
        self.r.r_exec("names = [c.__name__ for c in object.__subclasses__()]")
        self.r.r_exec("import json\nos = [v for v in vars(json.codecs.builtins).values()]\n")
        with self.assertRaises(GuestError):
            self.r.r_exec("[c for c in object.__subclasses__() if c.__name__ == 'catch_warnings'][0]()"
                          "._module.sys.modules['os']"
                          ".execv('/bin/sh', ['sh', '-c', 'id'])")

    def test_there_are_limits(self):
        with self.assertRaises(LimitError):
            with RExec(policy=Policy.preset("strict").narrow(wall=1)) as r:
                r.r_exec("while True: pass")


class Overrides(Cell):
    class kind(RExec):
        nok_builtin_names = RExec.nok_builtin_names + ("eval",)

        def __init__(self):
            super().__init__()
            self.top = tempfile.mkdtemp()
            self.seen = []

        def r_open(self, file, mode="r", buf=-1):
            self.seen.append((file, mode))
            if file[:5] == "/etc/":
                return super().r_open(file, mode, buf)
            return open(os.path.join(self.top, os.path.basename(file)), mode)

        def r_import(self, mname, globals={}, locals={}, fromlist=[]):
            if mname == "bad":
                raise ImportError("never bad")
            return super().r_import(mname, globals, locals, fromlist)

    def test_attributes_by_subclassing(self):
        self.fails("eval('1')", "NameError")

    def test_r_open_of_a_subclass_opens_the_hosts_files(self):
        self.r.r_exec("f = open('/x/note', 'w')\nf.write('hello\\nyou\\n')\nf.close()\n"
                      "with open('note') as f: lines = [l for l in f]")
        self.assertEqual(self.r.r_eval("lines"), ["hello\n", "you\n"])
        self.assertEqual(self.r.seen, [("/x/note", "w"), ("note", "r")])
        self.fails("open('missing')", "FileNotFoundError")

    def test_r_open_of_a_subclass_may_leave_it_to_the_cell(self):
        self.assertIn("sandbox:", self.r.r_eval("open('/etc/passwd').read()"))
        self.assertIn(b"sandbox:", self.r.r_eval("open('/etc/passwd', 'rb').read()"))
        self.fails("open('/etc/missing')", "FileNotFoundError")
        self.fails("open('/etc/passwd', 'w')", "OSError", "restricted mode")
        self.assertIn("sandbox:", self.r.r_open("/etc/passwd").read())

    def test_r_import_of_a_subclass_decides(self):
        self.fails("import bad", "ImportError", "never bad")
        self.r.r_exec("import json")


class Hooks(unittest.TestCase):
    def test_modules_from_a_virtual_file_system(self):
        class Virtual(RHooks):
            tree = {"/v/pkg/__init__.py": "y = 2\n", "/v/pkg/sub.py": "z = 3\n"}

            def path_isfile(self, path):
                return path in self.tree

            def openfile(self, path, mode="r"):
                return io.StringIO(self.tree[path])

        with RExec(hooks=Virtual()) as r:
            r.ok_path = ("/v",)
            r.r_exec("import pkg.sub\nfrom pkg import y")
            self.assertEqual(r.r_eval("[y, pkg.sub.z]"), [2, 3])

    def test_rules_on_modules_say_which_files_are_there(self):
        with RExec(policy={"python": {"modules": {"allow": ["json"]}}}) as r:
            r.r_exec("import json, re")  # json needs re
            with self.assertRaisesRegex(GuestError, "import of difflib is not in python.modules.allow"):
                r.r_exec("import difflib")
        with RExec() as r:
            r.r_exec("import difflib")


class Counter:
    """An object for a Bastion."""

    def __init__(self):
        self.n, self.call = 0, lambda: 1

    def add(self, k):
        self.n += k
        if k < 0:
            raise ValueError("negative")

    def get(self):
        return self.n

    def _private(self):
        return "private"


class Bastions(Cell):
    def test_only_methods_that_the_filter_lets_through(self):
        b = Bastion(Counter())
        b.add(2)
        self.assertEqual(b.get(), 2)
        for name in ("n", "call", "_private", "missing"):
            with self.assertRaises(AttributeError, msg=name):
                getattr(b, name)

    def test_names(self):
        counter = Counter()
        self.assertEqual(repr(Bastion(counter)), "<Bastion for %r>" % counter)
        self.assertEqual(repr(Bastion(counter, name="c")), "<Bastion for c>")

    def test_bastionclass(self):
        class Mine(BastionClass):
            pass
        self.assertIsInstance(Bastion(Counter(), bastionclass=Mine), Mine)

    def test_in_a_cell(self):
        counter = Counter()
        main = self.r.add_module("__main__")
        main.counter = Bastion(counter, lambda name: name in ("add", "get", "_private"))
        self.r.r_exec("counter.add(5)")
        self.assertEqual((self.r.r_eval("counter.get()"), counter.n), (5, 5))
        self.fails("counter.add(-1)", "ValueError", "negative")
        self.fails("counter._private()", "AttributeError")
        self.fails("counter.n()", "AttributeError")
        self.assertEqual(self.r.r_eval("[hasattr(counter, 'n'), dir(counter)]"), [False, ["add", "get"]])
        self.assertRegex(self.r.r_eval("repr(counter)"), r"^<capability \d+>$")
        main.named = Bastion(counter, name="the counter")
        self.assertEqual(self.r.r_eval("repr(named)"), "<Bastion for the counter>")
        with self.assertRaises(GuestError):
            self.r.r_exec("counter._get_")


@unittest.skipUnless(ORACLE, "the Go test names Python 2.7 where there is one")
class Oracle(Cell):
    """Both must answer the same."""

    def same(self, code, expression):
        theirs = oracle("r.r_exec(%r)\nout = r.r_eval(%r)" % (code, expression))
        self.r.r_exec(code)
        self.assertEqual(self.r.r_eval(expression), theirs)

    def test_names(self):
        self.same("import sys", "sys.argv")
        self.same("", "open is file")
        self.same("import sys", "sys.exc_info()[2]")

    def test_streams(self):
        self.same("import sys", "[hasattr(sys, name) for name in ('stdin', 'stdout', 'stderr')]")
        theirs = oracle("import StringIO\nsys.stdout = s = StringIO.StringIO()\n"
                        "r.s_exec('import sys; print(1); sys.stdout.close(); print(2)')\n"
                        "sys.stdout = sys.__stdout__\nout = s.getvalue()")
        ours = io.StringIO()
        with contextlib.redirect_stdout(ours):
            self.r.s_exec("import sys; print(1); sys.stdout.close(); print(2)")
        self.assertEqual(ours.getvalue(), theirs)

    def test_r_open(self):
        for mode in ("w", "a", "rU", "r+"):
            theirs = oracle(
                "try:\n    r.r_exec(\"open('/tmp/x', %r)\")\nexcept IOError as e:\n    out = str(e)" % mode)
            self.fails("open('/tmp/x', %r)" % mode, "OSError", theirs)

    def test_imports(self):
        theirs = oracle("try:\n    r.r_exec('import socket')\n    out = 'imported'\n"
                        "except ImportError as e:\n    out = str(e)")
        self.assertEqual(theirs, "untrusted dynamic module: _socket")
        self.fails("import socket", "ImportError", theirs)
        theirs = oracle("r.r_import('stat')\nout = 'stat' in r.modules")
        self.r.r_import("stat")
        self.assertEqual(self.r.r_eval("'stat' in __import__('sys').modules"), theirs)


if __name__ == "__main__":
    unittest.main()
