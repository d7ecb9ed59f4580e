"""Running code: requests to a live sandbox, programs of their own, files, errors."""
import copy
import gc
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from array import array
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from unittest import mock

from pysandbox import (
    CancelledError, DeadlineError, EndedError, Execution, GuestError, LimitError, Policy, PolicyError, Report,
    RevokedError, RunError, Sandbox, SandboxError, SetupError, TooLargeError, ViolationError,
)
from pysandbox import files
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


def lives(pid):
    try:
        with open(b"/proc/%s/stat" % pid) as file:
            return file.read().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


class Endings(unittest.TestCase):
    def test_a_forgotten_sandbox_ends(self):
        sb = Sandbox()
        sb.grant("store", Store())
        self.assertEqual(sb.eval("store.echo(1) + 41"), 42)
        process = sb._live[0]
        self.assertFalse(process.ended(0.2))
        del sb
        gc.collect()
        self.assertTrue(process.ended(10))

    def test_so_does_one_with_threads(self):
        sb = Sandbox()
        sb.exec("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()")
        process = sb._live[0]
        del sb
        gc.collect()
        self.assertTrue(process.ended(20))

    def test_the_loop_of_async_methods_ends(self):
        for how in ("closed", "forgotten"):
            with self.subTest(how):
                before = set(threading.enumerate())
                sb = Sandbox()
                sb.grant("store", Store())
                self.assertEqual(sb.eval("store.later(1)"), 1)
                loop = sb._events.loop
                if how == "closed":
                    sb.close()
                del sb
                gc.collect()
                for thread in set(threading.enumerate()) - before:
                    thread.join(20)
                    self.assertFalse(thread.is_alive(), thread)
                self.assertTrue(loop.is_closed())

    def test_programs_end_with_their_sandbox(self):
        source = "import time\nprint(1, flush=True)\ntime.sleep(600)"
        with Sandbox() as sb:
            runs = [sb.start(source) for _ in range(3)]
            self.assertEqual([next(iter(run.stdout)) for run in runs], [b"1\n"] * 3)
            began = time.monotonic()
        self.assertLess(time.monotonic() - began, 3)
        self.assertEqual([run.wait(10).outcome for run in runs], ["signaled"] * 3)
        with self.assertRaises(EndedError):
            sb.start(source)

    def test_programs_end_with_the_last_mention_of_it_and_them(self):
        sb = Sandbox()
        process = sb.start("while True: pass")._process
        self.assertFalse(process.ended(0.3))
        del sb
        gc.collect()
        self.assertTrue(process.ended(10))

    def test_a_child_that_the_guest_forks_ends_at_the_end_of_its_code(self):
        wait = "\nprint(os.waitpid(pid, 0)[1] >> 8, flush=True)"
        with Sandbox() as sb:
            sb.exec("import os")
            for code, status, stderr in (
                    ("pass", b"0\n", b""), ("1 / 0", b"1\n", b"ZeroDivisionError"),
                    ("raise SystemExit(7)", b"7\n", b""), ("raise SystemExit('no')", b"1\n", b"no\n")):
                done = sb.exec("pid = os.fork()\nif pid == 0: " + code + wait.replace("\n", "\nif pid: "))
                self.assertEqual(done.stdout, status)
                self.assertIn(stderr, done.stderr)
            self.assertEqual(sb.eval("1"), 1)

    def test_a_signal_that_comes_between_requests(self):
        with Sandbox() as sb:
            sb.exec("import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1 / 0)\n"
                    "signal.setitimer(signal.ITIMER_REAL, 0.2)\nx = 1")
            time.sleep(0.6)
            self.assertEqual(sb.eval("x"), 1)
            with self.assertRaisesRegex(GuestError, "ZeroDivisionError"):
                sb.exec("signal.setitimer(signal.ITIMER_REAL, 0.1)\nimport time; time.sleep(5)")
            self.assertEqual(sb.eval("x"), 1)

    def test_a_program_that_is_interrupted_before_it_begins(self):
        with Sandbox() as sb:
            run = sb.start("import time; time.sleep(60)")
            run.interrupt()
            result = run.wait(30)
            self.assertEqual((result.outcome, result.signal, result.exit_code), ("signaled", "SIGINT", 130))

    def test_all_ends_with_the_host(self):
        code = ("import os, sys, threading, time\nfrom pysandbox import Sandbox\n"
                "sb = Sandbox()\nsb.eval('1')\n"
                "run = sb.start('print(1, flush=True)\\nwhile True: pass')\nkept = [sb, run]\n"
                "kept.append(kept)\nnext(iter(run.stdout))\n"
                "threading.Thread(target=sb.exec, args=('while True: pass',), daemon=True).start()\n"
                "time.sleep(0.5)\n"
                "print(run._process._child._pid, sb._live[0]._child._pid, flush=True)\n")
        left = {}
        for end in ("", "os._exit(1)", "os.kill(os.getpid(), 9)", "sys.exit(1)"):
            host = subprocess.run([sys.executable, "-c", code + end], stdout=subprocess.PIPE, timeout=60)
            pids = host.stdout.split()
            self.assertEqual(len(pids), 2, end)
            left.update(dict.fromkeys(pids, end))
        until = time.monotonic() + 30
        while left and time.monotonic() < until:
            time.sleep(0.05)
            left = {pid: end for pid, end in left.items() if lives(pid)}
        self.assertEqual(left, {})

    def test_a_program_outlives_the_last_mention_of_its_sandbox(self):
        sb = Sandbox()
        sb.grant("store", Store())
        run = sb.start("import time\ntime.sleep(0.5)\nprint(store.later(5))")
        del sb
        gc.collect()
        self.assertEqual(run.wait(30).stdout, b"5\n")

    def test_a_limit_is_a_limit(self):
        with Sandbox(Policy.preset("strict").narrow(wall=1)) as sb:
            with self.assertRaises(LimitError) as caught:
                sb.exec("import time; time.sleep(60)")
            self.assertEqual(caught.exception.limit, "wall")

    def test_output_that_was_cut_is_a_limit(self):
        for after in ("", "; 1 / 0"):
            for _ in range(4):
                with Sandbox(Policy.preset("strict").narrow(output="1KiB")) as sb:
                    with self.assertRaises(LimitError) as caught:
                        sb.exec("print('x' * 5000)" + after)
                self.assertEqual(caught.exception.limit, "output")
                self.assertRegex(caught.exception.output.stdout, b"^x{900,1024}$")
        with Sandbox(Policy.preset("strict").narrow(output="8KiB")) as sb:
            self.assertEqual(sb.exec("print('x' * 5000)").stdout, b"x" * 5000 + b"\n")

    def test_an_end_is_an_end(self):
        with Sandbox() as sb:
            with self.assertRaises(EndedError):
                sb.exec("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
        with Sandbox() as sb:
            with self.assertRaises(EndedError) as caught:
                sb.exec("import os; os._exit(7)")
            self.assertEqual(caught.exception.report.exit_code, 7)

    def test_a_missing_interpreter_is_a_setup_error(self):
        with Sandbox(python="/nowhere/python3") as sb:
            with self.assertRaises(SetupError) as caught:
                sb.eval("1")
        self.assertIn("/nowhere/python3", str(caught.exception))

    def test_a_missing_binary_is_a_setup_error(self):
        real = os.environ["PYSANDBOX_BINARY"]
        self.addCleanup(os.environ.__setitem__, "PYSANDBOX_BINARY", real)
        os.environ["PYSANDBOX_BINARY"] = "/nowhere/pysandbox"
        with self.assertRaises(SetupError):
            Sandbox().eval("1")


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


class Programs(Case):
    def test_input_as_bytes(self):
        for data in (b"", b"one\ntwo\n", bytearray(3 << 20)):
            result = self.sb.start("import sys; print(len(sys.stdin.buffer.read()))", stdin=data).wait(30)
            self.assertEqual((result.stdout, result.stderr), (b"%d\n" % len(data), b""))
        self.assertEqual(self.sb.start("import sys; print(sys.stdin.read())").wait(30).stdout, b"\n")
        for wrong in ("text", None, 5):
            with self.assertRaisesRegex(TypeError, "stdin="):
                self.sb.start("pass", stdin=wrong)

    def test_input_that_was_closed(self):
        for stdin, message in ((True, "standard input was closed"), (False, "with stdin=True"),
                               (b"", "with stdin=True")):
            with self.sb.start("import time; time.sleep(60)", stdin=stdin) as run:
                run.close_stdin()
                with self.assertRaisesRegex(ValueError, message):
                    run.write(b"x")

    def test_start(self):
        run = self.sb.start(
            "import sys; print(sys.argv[1:], len(sys.stdin.read()))", argv=["a", 2], stdin=True)
        run.write(b"xyz")
        run.close_stdin()
        result = run.wait(30).check()
        self.assertEqual((result.stdout, result.exit_code), (b"['a', '2'] 3\n", 0))

    def test_a_long_source(self):
        for guest in GUESTS[:1] + GUESTS[-1:]:
            with Sandbox(python=guest) as sb:
                source = "import sys\ntext = %r\nprint(len(text), sys.argv, __name__)\n1 / 0" % (
                    "\u20ac" * 400000)
                result = sb.start(source, argv=["a"]).wait(30)
                self.assertEqual(result.stdout, b"400000 ['-c', 'a'] __main__\n", result.stderr)
                self.assertIn(b'File "<string>", line 4, in <module>\nZeroDivisionError', result.stderr)

    def test_a_source_with_bytes_that_are_no_text(self):
        result = self.sb.start("print(ascii('\udcff'))").wait(30)
        self.assertEqual(result.exit_code, 1)
        self.assertIn(b"surrogates not allowed", result.stderr)

    def test_who_writes_to_a_program_that_is_killed(self):
        run = self.sb.start("import time; time.sleep(60)", stdin=True)
        caught = []

        def write():
            try:
                run.write(array("i", range(1 << 20)))
            except BrokenPipeError as problem:
                caught.append(problem)
        writer = threading.Thread(target=write)
        writer.start()
        time.sleep(0.3)
        run.kill()
        writer.join(10)
        self.assertEqual(len(caught), 1)

    def test_all_of_an_array_is_written(self):
        run = self.sb.start(
            "import sys, time\ntime.sleep(0.3)\nprint(len(sys.stdin.buffer.read()))", stdin=True)
        run.write(array("i", range(1 << 20)))
        run.close_stdin()
        self.assertEqual(run.wait(30).stdout, b"%d\n" % (4 << 20))

    def test_lines_arrive_while_it_runs(self):
        with self.sb.start("import time\nprint('first', flush=True)\ntime.sleep(60)") as run:
            self.assertEqual(next(iter(run.stdout)), b"first\n")
            run.kill()
            self.assertNotEqual(run.wait(30).exit_code, 0)

    def test_a_program_that_ignores_signals_is_killed_too(self):
        with self.sb.start("import signal, time\nfor n in (2, 15): signal.signal(n, signal.SIG_IGN)\n"
                           "print('up', flush=True)\ntime.sleep(60)") as run:
            self.assertEqual(next(iter(run.stdout)), b"up\n")
            run.kill()
            self.assertEqual(run.wait(10).outcome, "signaled")

    def test_an_exception_of_a_program(self):
        result = self.sb.start("def f():\n    1/0\nf()").wait(30)
        self.assertEqual(result.exit_code, 1)
        self.assertIn(b"ZeroDivisionError", result.stderr)
        self.assertNotIn(b".pysandbox", result.stderr)
        with self.assertRaises(EndedError):
            result.check()
        denied = "import socket\nsocket.socket().connect(('203.0.113.9', 443))"
        stderr = self.sb.start(denied).wait(30).stderr
        self.assertIn(b'File "<string>", line 2, in <module>', stderr)
        self.assertNotIn(b".pysandbox", stderr)
        with self.assertRaises(GuestError) as caught:
            self.sb.exec(denied)
        self.assertIn("line 2, in <module>", caught.exception.traceback)
        self.assertNotIn(".pysandbox", caught.exception.traceback)

    def test_an_interrupt_of_a_program(self):
        source = "import time\ndef f():\n    print('up', flush=True)\n    time.sleep(60)\nf()"
        with tempfile.NamedTemporaryFile("w", suffix=".py") as file:
            file.write(source)
            file.flush()
            os.chmod(file.name, 0o644)
            for how, name in (({"source": source}, "<string>"), ({"file": file.name}, file.name)):
                run = self.sb.start(**how)
                self.assertEqual(next(iter(run.stdout)), b"up\n")
                run.interrupt()
                result = run.wait(30)
                self.assertEqual((result.outcome, result.signal), ("signaled", "SIGINT"))
                self.assertIn(b"KeyboardInterrupt", result.stderr)
                self.assertIn(b'File "%s", line 5, in <module>' % name.encode(), result.stderr)
                self.assertNotIn(b".pysandbox", result.stderr)

    def test_violations_and_audit_say_where(self):
        run = self.sb.start(
            "import socket\ndef go():\n    socket.create_connection(('203.0.113.9', 443))\ngo()")
        events = [event for event in run.audit() if event.operation == "connect"]
        result = run.wait(30)
        self.assertIn(b"the sandbox's policy denies connect tcp://203.0.113.9:443", result.stderr)
        self.assertEqual(
            [(v.target, v.rule) for v in result.violations], [("tcp://203.0.113.9:443", "network.default")])
        self.assertEqual(result.violations[0].where, "<string>:3 in go")
        self.assertEqual({event.source for event in events}, {"guest"})

    def test_without_the_channel_the_kernel_denies(self):
        source = ("import os\nos.close(3)\nimport socket\ns = socket.socket()\n"
                  "import _socket\nprint(_socket.socket.connect_ex(s, ('203.0.113.9', 443)))")
        sb = Sandbox({"extends": "strict", "network": {"allow": ["tcp://203.0.113.1:443"]}})
        self.addCleanup(sb.close)
        result = sb.start(source).wait(30)
        self.assertEqual(result.stdout, b"13\n", result.stderr)
        self.assertEqual([(v.source, v.rule) for v in result.violations], [("kernel", "network.default")])

    def test_a_lower_wall_clock(self):
        result = self.sb.start("import time; time.sleep(60)", timeout=0.5).wait(30)
        self.assertEqual((result.outcome, result.limit), ("timeout", "wall"))


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


class Files(Case):
    def test_in_and_out(self):
        for view in (memoryview(array("i", [1, 2])), memoryview(b"0123456789")[::2], memoryview(b"x")):
            self.sb.write_file("/tmp/view", view)
            self.assertEqual(self.sb.read_file("/tmp/view"), view.tobytes())
        self.sb.write_file("/tmp/in", b"data")
        self.assertEqual(self.sb.eval("open('/tmp/in').read()"), "data")
        self.sb.exec("open('/tmp/out', 'wb').write(bytes(range(256)) * 4096)")
        self.assertEqual(self.sb.read_file("/tmp/out"), bytes(range(256)) * 4096)
        self.assertEqual(self.sb.list_files("/tmp")["out"], 1 << 20)
        with self.assertRaises(GuestError):
            self.sb.read_file("/tmp/out", limit=1000)

    def test_many_files_are_listed(self):
        self.sb.exec("import os\nos.makedirs('/tmp/top/sub')\nfor n in range(6000): "
                     "open('/tmp/top/sub/a file of a longer name %d' % n, 'w').write('x' * (n % 7))\n"
                     "open(b'/tmp/top/\\xff', 'w')\nopen('/tmp/top/\\n', 'w')\n"
                     "os.symlink('x', '/tmp/top/link')")
        found = self.sb.list_files("/tmp/top")
        self.assertEqual(len(found), 6002)
        self.assertEqual((found["sub/a file of a longer name 5"], found["\udcff"], found["\n"]), (5, 0, 0))
        self.sb.write_file("/tmp/top/\udcff", b"bytes")
        self.assertEqual(self.sb.read_file("/tmp/top/\udcff"), b"bytes")
        for top in ("/tmp/missing", "/etc/passwd"):
            with self.assertRaises(GuestError) as caught:
                self.sb.list_files(top)
            self.assertIn(caught.exception.type_name, ("FileNotFoundError", "NotADirectoryError"))

    def test_what_is_no_regular_file_is_refused_at_once(self):
        self.sb.exec("import os, threading\nos.mkfifo('/tmp/fifo')\nos.mkfifo('/tmp/read')\n"
                     "reader = os.open('/tmp/read', os.O_RDONLY | os.O_NONBLOCK)\nos.mkdir('/tmp/dir')")
        began = time.monotonic()
        for path in ("/tmp/fifo", "/tmp/read", "/tmp/dir", "/dev/zero"):
            for ask in (self.sb.read_file, lambda path: self.sb.write_file(path, b"x")):
                with self.subTest(path), self.assertRaises(GuestError):
                    ask(path)
        with self.assertRaises(GuestError):
            self.sb.copy_out("/tmp/fifo", "/nonexistent/never")
        self.assertLess(time.monotonic() - began, 10)

    def test_a_shorter_file_leaves_nothing_of_a_longer_one(self):
        self.sb.write_file("/tmp/x", b"longer", 0o640)
        self.sb.write_file("/tmp/x", b"short", 0o755)
        self.assertEqual(self.sb.read_file("/tmp/x"), b"short")
        self.assertEqual(self.sb.eval("__import__('os').stat('/tmp/x').st_mode & 0o777"), 0o755)

    def test_they_have_deadlines(self):
        self.sb.exec("import os, time\nos.open = lambda *_: time.sleep(60)\nos.walk = os.open")
        for ask in (lambda: self.sb.read_file("/tmp/x", timeout=0.3),
                    lambda: self.sb.write_file("/tmp/x", b"x", timeout=0.3),
                    lambda: self.sb.list_files("/tmp", timeout=0.3),
                    lambda: self.sb.copy_in("/etc/passwd", "/tmp/x", timeout=0.3),
                    lambda: self.sb.copy_out("/tmp/x", "/nonexistent/never", timeout=0.3)):
            with self.assertRaises(DeadlineError) as caught:
                ask()
            self.assertIn("within 0.3 seconds", str(caught.exception))

    def test_a_symlink_leads_to_the_guests_own(self):
        self.sb.exec("import os; os.symlink('/etc/passwd', '/tmp/link')")
        self.assertIn(b"sandbox:x:1000", self.sb.read_file("/tmp/link"))
        self.assertNotIn(b"root:", self.sb.read_file("/tmp/link"))

    def test_copy_out_replaces_a_symlink(self):
        with tempfile.TemporaryDirectory() as top:
            victim, target = os.path.join(top, "victim"), os.path.join(top, "target")
            with open(victim, "w") as file:
                file.write("precious")
            os.symlink(victim, target)
            self.sb.write_file("/tmp/x", b"new")
            self.sb.copy_out("/tmp/x", target)
            with open(victim) as file:
                self.assertEqual(file.read(), "precious")
            with open(target) as file:
                self.assertEqual(file.read(), "new")

    def test_trees_of_the_host_are_entered_without_symlinks(self):
        with tempfile.TemporaryDirectory() as top:
            files.write_below(top, "a/b", b"1")
            self.assertEqual((files.read_below(top, "a/b"), list(files.walk_below(top))), (b"1", ["a/b"]))
            os.symlink("/etc", os.path.join(top, "etc"))
            os.symlink("/etc/passwd", os.path.join(top, "a/p"))
            os.mkfifo(os.path.join(top, "fifo"))
            for name in ("etc/passwd", "a/p"):
                with self.assertRaises(OSError, msg=name):
                    files.read_below(top, name)
            for name in ("../x", "/etc/passwd", "a/../../x", "fifo", ""):
                with self.assertRaises(Exception, msg=name):
                    files.read_below(top, name)

    def test_no_tree_harms_who_walks_it(self):
        with tempfile.TemporaryDirectory() as top:
            os.mkdir(os.path.join(top, "dir"))
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                with self.assertRaises(ViolationError):
                    files.read_below(top, "dir")
            at = os.open(top, os.O_RDONLY)
            for _ in range(2000):
                os.mkdir("d", dir_fd=at)
                at, above = os.open("d", os.O_RDONLY, dir_fd=at), at
                os.close(above)
            os.close(at)
            with self.assertRaises(ViolationError):
                files.walk_below(top)
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
            subprocess.run(["rm", "-r", os.path.join(top, "d")], check=True)

    def test_what_goes_away_is_left_out_of_a_walk(self):
        with tempfile.TemporaryDirectory() as top:
            files.write_below(top, "kept", b"")
            over = threading.Event()

            def churn():
                while not over.is_set():
                    for n in range(50):
                        files.write_below(top, "d/%d" % n, b"")
                    shutil.rmtree(os.path.join(top, "d"))
            thread = threading.Thread(target=churn)
            thread.start()
            try:
                for _ in range(500):
                    self.assertIn("kept", files.walk_below(top))
            finally:
                over.set()
                thread.join()


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

    def test_a_mistake_in_a_dict_is_one_of_the_policy(self):
        for document, words in (({"limits": {"memroy": "1M"}}, 'policy: unknown key "memroy"'),
                                ({"limits": {"memory": "1.5M"}}, "policy: limits.memory: expected a size")):
            with self.assertRaises(PolicyError) as caught:
                Policy.parse({"extends": "strict", **document})
            self.assertTrue(str(caught.exception).startswith(words), caught.exception)
            self.assertNotIn("/proc/", str(caught.exception))

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
