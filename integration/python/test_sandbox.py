"""Requests to a live sandbox: their values, arguments, deadlines, bounds and errors."""
import copy
import os
import pathlib
import pickle
import tempfile
import time
import unittest
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unittest import mock

from pysandbox import (
    CancelledError, DeadlineError, EndedError, Execution, GuestError, LimitError, Policy, PolicyError,
    Report, RevokedError, RunError, Sandbox, SandboxError, SetupError, TooLargeError, ViolationError,
)
from pysandbox.stream import Stream
from support import GUESTS, Case, Store


class Requests(Case):
    def test_state_stays(self):
        self.sb.exec("x = 6 * 7")
        self.assertEqual(self.sb.eval("x"), 42)

    def test_plain_data_comes_back(self):
        for text in ("None", "True", "-1", "2**64-1", "-2**63", "1.5", "b'\\0'",
                     "'h\\u00e9'", "[1, [2]]", "{'a': {'b': []}}"):
            self.assertEqual(self.sb.eval(text), eval(text))
        self.assertEqual(self.sb.eval("(1, 2)"), [1, 2])
        self.assertEqual(self.sb.eval("bytes(3 << 20)"), bytes(3 << 20))

    def test_what_is_no_data_does_not_come_back(self):
        for text in ("object()", "2**64", "{1: 2}", "'\\ud800'", "lambda: 1",
                     "[[" * 20 + "1" + "]]" * 20, "[0] * (1 << 18)"):
            with self.assertRaises(GuestError, msg=text):
                self.sb.eval(text)
        self.assertEqual(self.sb.eval("1"), 1)

    def test_long_text_crosses(self):
        self.sb.grant("store", Store())
        for text in ("x" * (1 << 20), "\u20ac" * 60000, "a" * (32 << 10), "a" * ((32 << 10) + 1),
                     "\U0001f600" * (1 << 20)):
            self.assertEqual(self.sb.eval("store.echo(%r)" % text), text)
        self.assertEqual(self.sb.exec("text = %r\nprint(len(text))" % ("x" * 400000)).stdout, b"400000\n")
        self.assertEqual(self.sb.eval("{text[:40000]: [text, (text,)]}"), {
            "x" * 40000: ["x" * 400000, ["x" * 400000]]})
        with self.assertRaises(GuestError) as caught:
            self.sb.exec("raise ValueError('\U0001f600' * 4096)\n#" + "x" * 200000)
        self.assertEqual(len(caught.exception.message), 4096)

    def test_what_is_too_large_is_told_with_the_bound(self):
        self.sb.grant("store", Store())
        huge = bytes(70 << 20)
        for ask, bound in ((lambda: self.sb.write_file("/tmp/huge", huge), 64 << 20),
                           (lambda: self.sb.exec("#" + huge.decode()), 64 << 20),
                           (lambda: self.sb.start("#" + huge.decode()), 64 << 20),
                           (lambda: self.sb._request("exec", [huge[:40 << 20]] * 2), 64 << 20),
                           (lambda: self.sb.start("pass", argv=["x" * (1 << 20)]), 128 << 10),
                           (lambda: self.sb._request("eval", [["0"] * (1 << 17)]), 128 << 10)):
            with self.assertRaisesRegex(TooLargeError, r"at most %d\b" % bound):
                ask()
        for text, bound in (("bytes(70 << 20)", 64 << 20), ("'x' * (70 << 20)", 64 << 20),
                            ("[0] * (1 << 17)", 128 << 10), ("['x' * (40 << 20)] * 2", 64 << 20),
                            ("store.echo('x' * (70 << 20))", 64 << 20), ("store.huge()", 64 << 20)):
            with self.assertRaisesRegex(GuestError, r"TooLargeError: .*at most %d\b" % bound) as caught:
                self.sb.eval(text)
            self.assertEqual(caught.exception.type_name, "TooLargeError")
        self.assertEqual(self.sb.eval("store.echo('x' * (20 << 20)) == 'x' * (20 << 20)"), True)

    def test_a_guest_exception_is_data(self):
        with self.assertRaises(GuestError) as caught:
            self.sb.exec("def f():\n    raise ValueError('no')\nf()\n", filename="job.py")
        self.assertEqual((caught.exception.type_name, caught.exception.message), ("ValueError", "no"))
        self.assertIn('File "job.py", line 2, in f', caught.exception.traceback)
        self.assertNotIn(".pysandbox", caught.exception.traceback)

    def test_code_that_does_not_compile_has_no_frames_of_ours(self):
        for guest in GUESTS[:1] + GUESTS[-1:]:
            with Sandbox(python=guest) as sb:
                for run, name in ((sb.exec, "<exec>"), (sb.eval, "<eval>")):
                    with self.assertRaises(GuestError) as caught:
                        run("x = = 1")
                    self.assertTrue(caught.exception.traceback.startswith('  File "%s", line 1\n' % name),
                                    caught.exception.traceback)
                    self.assertNotIn(".pysandbox", caught.exception.traceback)
                stderr = sb.start("x = = 1").wait(30).stderr
                self.assertTrue(stderr.startswith(b'  File "<string>", line 1\n'), stderr)
                with self.assertRaises(GuestError) as caught:
                    sb.write_file("/missing/x", b"")
                self.assertRegex(caught.exception.traceback, "^(FileNotFound|Permission)Error: [^\n]*\n$")

    def test_exit_does_not_end_the_host_or_the_guest(self):
        with self.assertRaises(GuestError) as caught:
            self.sb.exec("raise SystemExit(3)")
        self.assertEqual(caught.exception.type_name, "SystemExit")
        self.assertEqual(self.sb.eval("1 + 1"), 2)

    def test_output_belongs_to_its_request(self):
        first = self.sb.exec("import sys; print('one'); print('err', file=sys.stderr)")
        second = self.sb.exec("import os; os.write(1, b'two')")
        self.assertEqual((first.stdout, first.stderr, second.stdout), (b"one\n", b"err\n", b"two"))

    def test_output_of_a_failure_is_kept(self):
        with self.assertRaises(GuestError) as caught:
            self.sb.exec("print('before'); 1/0")
        self.assertEqual(caught.exception.output.stdout, b"before\n")

    def test_closed_output_costs_no_time(self):
        self.sb.exec("import os, sys")
        output = self.sb.exec("print('last', flush=True); os.close(1); os.write(2, b'e'); os.close(2)")
        self.assertEqual((output.stdout, output.stderr), (b"last\n", b"e"))
        self.sb.exec("file = open('/tmp/first', 'w'); assert file.fileno() == 1; file.write('mine')")
        began = time.monotonic()
        with mock.patch("pysandbox.process.MARK_PATIENCE", 600.0):
            for _ in range(5):
                self.assertEqual(self.sb.exec("pass").stdout, b"")
                with self.assertRaises(GuestError):
                    self.sb.exec("1 / 0")
        self.assertLess(time.monotonic() - began, 60)
        self.sb.exec("file.close()")
        self.assertEqual(self.sb.read_file("/tmp/first"), b"mine")

    def test_run_file_and_module(self):
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write("import sys\nwhat = [__file__] + sys.argv\n")
            file.flush()
            self.sb.run_file(file.name, ["a", 1])
        name = os.path.basename(file.name)
        self.assertEqual(self.sb.eval("what"), [name, name, "a", "1"])
        self.assertIn(b"Beautiful", self.sb.run_module("this").stdout)

    def test_a_script_may_end_with_exit(self):
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            for end, message in (("sys.exit(0)", None), ("sys.exit()", None), ("sys.exit(False)", None),
                                 ("sys.exit(3)", "3"), ("sys.exit('no')", "no")):
                file.seek(0)
                file.truncate()
                file.write("import sys\nprint('ran')\nkept = 1\n%s\n" % end)
                file.flush()
                if message is None:
                    self.assertEqual(self.sb.run_file(file.name).stdout, b"ran\n")
                    self.assertEqual(self.sb.eval("kept"), 1)
                    continue
                with self.assertRaises(GuestError) as caught:
                    self.sb.run_file(file.name)
                self.assertEqual(str(caught.exception), "SystemExit: " + message)
        self.assertIn(b"usage", self.sb.run_module("tokenize", ["--help"]).stdout.lower())

    def test_a_file_of_the_hosts_has_its_name_and_lines(self):
        with tempfile.TemporaryDirectory() as top:
            path = os.path.join(top, "job.py")
            with open(path, "wb") as file:
                file.write(
                    b"# -*- coding: latin-1 -*-\ntext = '\xe9'\ndef go():\n    raise ValueError(text)\n")
            self.sb.run_file(path)
        with self.assertRaises(GuestError) as caught:
            self.sb.exec("go()")
        self.assertEqual(caught.exception.message, "\u00e9")
        self.assertIn('File "job.py", line 4, in go\n    raise ValueError(text)', caught.exception.traceback)

    def test_the_report_comes_with_the_end(self):
        self.sb.eval("1")
        self.sb.close()
        self.assertEqual((self.sb.report.outcome, self.sb.report.tier), ("exited", "full"))
        with self.assertRaises(RunError):
            self.sb.eval("1")


class Deadlines(unittest.TestCase):
    def test_none_of_them_is_silently_another(self):
        for wrong, kind in ((-1, ValueError), (float("nan"), ValueError), ("5", TypeError), (True, TypeError),
                            (b"1", TypeError)):
            with self.subTest(wrong):
                with self.assertRaisesRegex(kind, "deadline"):
                    Sandbox(deadline=wrong)
                with Sandbox() as sb:
                    with self.assertRaisesRegex(kind, "timeout"):
                        sb.eval("1", timeout=wrong)
                    with self.assertRaisesRegex(kind, "timeout"):
                        sb.read_file("/etc/passwd", timeout=wrong)
                    self.assertIsNone(sb._live)

    def test_none_at_all(self):
        for none in (None, float("inf"), 1e300):
            with self.subTest(none), Sandbox(deadline=none) as sb:
                self.assertEqual(sb.eval("2"), 2)
                self.assertEqual(sb.exec("print(1)", timeout=float("inf")).stdout, b"1\n")
                self.assertEqual(sb.eval("len(%r)" % ("x" * 9000)), 9000)
                with self.assertRaises(DeadlineError):
                    sb.exec("while True: pass", timeout=0.2)

    def test_none_as_a_timeout_is_that_of_the_sandbox(self):
        with Sandbox(deadline=0.2) as sb:
            with self.assertRaises(DeadlineError):
                sb.exec("while True: pass", timeout=None)
            sb.exec("import time; time.sleep(0.4)", timeout=float("inf"))
            with self.assertRaisesRegex(ValueError, r"or more, and float\('inf'\) no limit"):
                sb.eval("1", timeout=-1)


class Errors(unittest.TestCase):
    def test_errors_are_pickled_and_copied(self):
        report, output = Report(outcome="limit", reason="cpu"), Execution(b"out", b"err")
        guest = GuestError("ValueError", "no", "Traceback")
        guest.output = output
        errors = [
            guest, PolicyError("p"), SetupError("s"), RunError("r", report), LimitError("cpu", report),
            ViolationError("v", report), EndedError("e", report), DeadlineError("d", True),
            CancelledError("c"), RevokedError("x"), SandboxError("b"),
        ]
        for error in errors:
            for again in [pickle.loads(pickle.dumps(error, p)) for p in range(6)] + [
                    copy.copy(error), copy.deepcopy(error)]:
                self.assertEqual((type(again), str(again), again.args, vars(again)),
                                 (type(error), str(error), error.args, vars(error)))

    def test_what_the_guest_says_is_one_line(self):
        """Neither a terminal nor a log takes it for anything else."""
        problem = GuestError("E\x1b[2J", "no\n\r\u202e\udc80 \u00e9 \\", "Traceback\n")
        self.assertEqual(str(problem), "E\\x1b[2J: no\\n\\r\\u202e\\udc80 \u00e9 \\")
        self.assertEqual(problem.message, "no\n\r\u202e\udc80 \u00e9 \\")

    def test_errors_come_back_from_another_process(self):
        with ProcessPoolExecutor(1, get_context("spawn")) as pool:
            with self.assertRaises(GuestError) as caught:
                pool.submit(divide_by_zero).result(60)
        problem = caught.exception
        self.assertEqual(problem.type_name, "ZeroDivisionError")
        self.assertIn("<exec>", problem.traceback)
        self.assertEqual(problem.output.stdout, b"before\n")


def divide_by_zero():
    with Sandbox() as sb:
        sb.exec("print('before'); 1 / 0")


class Arguments(unittest.TestCase):
    def test_policies(self):
        with tempfile.TemporaryDirectory() as top:
            path = pathlib.Path(top, "policy.toml")
            path.write_text('version = 1\nextends = "strict"\n[limits]\nmemory = "64MiB"\n')
            with Sandbox(path) as sb:
                self.assertEqual(sb.policy.plan()["Limits"]["Memory"], 64 << 20)
            with self.assertRaisesRegex(PolicyError, "is no preset; .* Policy.load"):
                Sandbox(str(path))
        for wrong in (5, None, ["strict"], b"strict"):
            with self.assertRaisesRegex(TypeError, "it is a Policy, the name of a preset, a dict or a Path"):
                Sandbox(wrong)

    def test_what_the_host_cannot_enforce_is_no_mistake_of_the_policy(self):
        lacks = "pysandbox: limits.memory: it cannot be enforced on this host: there is no control group; x"
        with tempfile.TemporaryDirectory() as top:
            binary = os.path.join(top, "pysandbox")
            real = os.environ["PYSANDBOX_BINARY"]
            self.addCleanup(os.environ.__setitem__, "PYSANDBOX_BINARY", real)
            os.environ["PYSANDBOX_BINARY"] = binary
            for text, kind in ((lacks, SetupError), (lacks + "\nlimits.wall: no duration", PolicyError)):
                with open(binary, "w") as file:
                    file.write("#!/bin/sh\necho '%s' >&2\nexit 125\n" % text)
                os.chmod(binary, 0o755)
                with self.assertRaisesRegex(kind, "cannot be enforced"):
                    Policy.parse({"limits": {"memory": "64MiB"}})

    def test_environments(self):
        for env, kind in (({"A=": "b"}, ValueError), ({"": "b"}, ValueError), ({"A": "b\0"}, ValueError),
                          ({"A": None}, TypeError), ({"A": 1}, TypeError), ({1: "a"}, TypeError)):
            with self.assertRaisesRegex(kind, "env: "):
                Sandbox(env=env)
            with Sandbox() as sb, self.assertRaisesRegex(kind, "env: "):
                sb.start("pass", env=env)
        with Sandbox(env={"A": "=b", "C": ""}, cwd="/tmp") as sb:
            self.assertEqual(sb.eval("[__import__('os').environ[n] for n in 'AC']"), ["=b", ""])
            self.assertEqual(sb.eval("__import__('os').getcwd()"), "/tmp")


class Bounds(unittest.TestCase):
    def test_old_lines_that_nobody_reads_give_way(self):
        stream = Stream(bound=100)
        for number in range(1000):
            stream.feed(b"line %d\n" % number)
        stream.end()
        kept = list(stream)
        self.assertEqual(kept[-1], b"line 999\n")
        self.assertTrue(80 <= sum(map(len, kept)) <= 100, kept)
        self.assertTrue(all(line.startswith(b"line ") for line in kept), kept)


if __name__ == "__main__":
    unittest.main()
