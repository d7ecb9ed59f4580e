"""How sandboxes and what runs in them end."""
import gc
import os
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from unittest import mock

import pysandbox.stream
from pysandbox import EndedError, GuestError, LimitError, Policy, Sandbox, SetupError
from support import PATIENCE, Gate, Store, eventually, hasty, shown


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
        self.assertTrue(process.ended(PATIENCE))

    def test_so_does_one_with_threads(self):
        sb = Sandbox()
        sb.exec("import threading, time\nthreading.Thread(target=time.sleep, args=(600,)).start()")
        process = sb._live[0]
        with hasty("PATIENCE"):
            del sb
            gc.collect()
        self.assertTrue(process.ended(PATIENCE))

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
                    thread.join(PATIENCE)
                    self.assertFalse(thread.is_alive(), thread)
                self.assertTrue(loop.is_closed())

    def test_programs_end_with_their_sandbox(self):
        source = "import time\nprint(1, flush=True)\ntime.sleep(600)"
        with Sandbox() as sb:
            runs = [sb.start(source) for _ in range(3)]
            self.assertEqual([next(iter(run.stdout)) for run in runs], [b"1\n"] * 3)
            began = time.monotonic()
        self.assertLess(time.monotonic() - began, PATIENCE / 2)
        self.assertEqual([run.wait(PATIENCE).outcome for run in runs], ["signaled"] * 3)
        with self.assertRaises(EndedError):
            sb.start(source)

    def test_programs_end_with_the_last_mention_of_it_and_them(self):
        sb = Sandbox()
        process = sb.start("while True: pass")._process
        self.assertFalse(process.ended(0.3))
        del sb
        gc.collect()
        self.assertTrue(process.ended(PATIENCE))

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
        gate = Gate(self)
        with Sandbox(gate.policy) as sb:
            sb.exec("import os, signal, threading, time\nx = 1\n"
                    "signal.signal(signal.SIGALRM, lambda *_: 1 / 0)\n"
                    "def ring():\n    while %s: time.sleep(0.01)\n"
                    "    os.kill(os.getpid(), signal.SIGALRM)\n"
                    "threading.Thread(target=ring).start()" % gate.closed)
            gate.open()
            self.assertTrue(eventually(lambda: shown(sb, b"ZeroDivisionError: ", "stderr")))
            self.assertEqual(sb.eval("x"), 1)
            with self.assertRaisesRegex(GuestError, "ZeroDivisionError"):
                sb.exec("signal.setitimer(signal.ITIMER_REAL, 0.1)\nwhile True: time.sleep(1)")
            self.assertEqual(sb.eval("x"), 1)

    def test_signals_that_come_at_any_moment(self):
        with Sandbox() as sb:
            sb.exec("import signal\nsignal.signal(signal.SIGALRM, lambda *_: 1 / 0)\n"
                    "signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)")
            values = raised = 0
            for _ in range(1000):
                try:
                    self.assertEqual(sb.eval("1 + 1"), 2)
                    values += 1
                except GuestError as problem:
                    self.assertEqual(problem.type_name, "ZeroDivisionError")
                    raised += 1
            self.assertGreater(values, raised)

    def test_a_program_has_the_handlers_that_it_set(self):
        with Sandbox() as sb:
            sb.exec("import os, signal\ncame = []\n"
                    "def own(number, frame): came.append((number, frame is not None))\n"
                    "before = signal.signal(signal.SIGUSR1, own)\nnow = signal.getsignal(signal.SIGUSR1)\n"
                    "os.kill(os.getpid(), signal.SIGUSR1)")
            self.assertEqual(sb.eval("came"), [[10, True]])
            self.assertTrue(sb.eval("before is signal.SIG_DFL and now is own"))
            self.assertTrue(sb.eval("signal.signal(signal.SIGUSR1, signal.SIG_IGN) is own"))

    def test_a_program_that_is_interrupted_before_it_begins(self):
        with Sandbox() as sb:
            run = sb.start("import time\nwhile True: time.sleep(0.1)")
            run.interrupt()
            result = run.wait(PATIENCE)
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
            host = subprocess.run(
                [sys.executable, "-c", code + end], stdout=subprocess.PIPE, timeout=2 * PATIENCE)
            pids = host.stdout.split()
            self.assertEqual(len(pids), 2, end)
            left.update(dict.fromkeys(pids, end))
        until = time.monotonic() + PATIENCE
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
        self.assertEqual(run.wait(PATIENCE).stdout, b"5\n")

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

    def test_output_that_nobody_reads_has_a_bound(self):
        """Whatever the policy says, which here is nothing."""
        flood = "import os\nfor _ in range(100): os.write(%d, b'x' * (1 << 20))"
        later = "import threading\ndef flood():\n    %s\nthreading.Thread(target=flood, daemon=True).start()"
        for stream in (1, 2):
            with mock.patch.object(pysandbox.stream, "UNREAD", 8 << 20):
                with Sandbox("worker") as sb:
                    with self.assertRaises(LimitError) as caught:
                        sb.exec(flood % stream)
                    self.assertEqual(caught.exception.limit, "output")
                    self.assertEqual((sb.report.outcome, sb.report.reason, sb.report.exit_code),
                                     ("limit", "output", 137))
                with Sandbox("worker") as sb:  # between two requests
                    sb.exec(later % (flood % stream).replace("\n", "\n    "))
                    self.assertTrue(eventually(lambda: sb.report is not None))
                    with self.assertRaises(LimitError):
                        sb.eval("1")
                with Sandbox("worker") as sb:
                    result = sb.start(flood % stream).wait()
                    self.assertEqual(result.limit, "output")
                    self.assertLess(len(result.stdout + result.stderr), 9 << 20)

    def test_what_follows_unread_output_is_not_kept(self):
        told = []
        with mock.patch.object(pysandbox.stream, "UNREAD", 10):
            stream = pysandbox.stream.Stream(full=lambda: told.append(1))
            for data in (b"12345678", b"too much", b"9", b"too much"):
                stream.feed(data)
            stream.end()
        self.assertEqual((stream.rest(), told), (b"12345678", [1]))

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

    def test_another_program_in_place_of_the_binary_is_told_as_such(self):
        real = os.environ["PYSANDBOX_BINARY"]
        self.addCleanup(os.environ.__setitem__, "PYSANDBOX_BINARY", real)
        with tempfile.TemporaryDirectory() as top:
            headless = os.path.join(top, "headless")  # execve(2): ENOEXEC
            with open(headless, "wb") as file:
                file.write(b"no program")
            os.chmod(headless, 0o755)
            for binary, words in (
                    ("/bin/true", "did not answer as .* status 0; correct or unset PYSANDBOX_BINARY$"),
                    ("/bin/cat", "status 1 and said \".*option.*\"; correct or unset PYSANDBOX_BINARY$"),
                    ("/bin/echo", "did not answer as pysandbox of this version does"),
                    (headless, "could not be started: Exec format error")):
                os.environ["PYSANDBOX_BINARY"] = binary
                for call in lambda: Policy.parse({}), lambda: Sandbox().eval("1"):
                    with self.subTest(binary), self.assertRaises(SetupError) as caught:
                        call()
                    self.assertRegex(str(caught.exception), "^%s .*%s" % (binary, words))


if __name__ == "__main__":
    unittest.main()
