"""Programs of their own in a sandbox."""
import os
import signal
import tempfile
import threading
import unittest
from array import array

from pysandbox import EndedError, GuestError, Sandbox
from pysandbox.process import Process
from support import GUESTS, PATIENCE, Case, eventually, waits_in


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

    def test_input_of_another_type(self):
        with self.sb.start("import time; time.sleep(60)", stdin=True) as run:
            for wrong in ("text", None, [1]):
                with self.assertRaisesRegex(TypeError, "data is of type .*; it must be bytes"):
                    run.write(wrong)

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
        self.assertTrue(eventually(lambda: waits_in(writer, Process.feed)))
        run.kill()
        writer.join(PATIENCE)
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
                           "print('up', flush=True)\ntime.sleep(600)") as run:
            self.assertEqual(next(iter(run.stdout)), b"up\n")
            run.kill()
            self.assertEqual(run.wait(PATIENCE).outcome, "signaled")

    def test_a_supervisor_that_stands_still_kills_it_too(self):
        """Signals of one number that come meanwhile are one to it."""
        with self.sb.start("import signal, time\nsignal.signal(15, signal.SIG_IGN)\n"
                           "print('up', flush=True)\nwhile True: time.sleep(60)") as run:
            self.assertEqual(next(iter(run.stdout)), b"up\n")
            supervisor = run._process._child._pid
            os.kill(supervisor, signal.SIGSTOP)
            try:
                run.kill()
            finally:
                os.kill(supervisor, signal.SIGCONT)
            self.assertEqual(run.wait(PATIENCE).outcome, "signaled")

    def test_an_exception_of_a_program(self):
        result = self.sb.start("def f():\n    1/0\nf()").wait(30)
        self.assertEqual(result.exit_code, 1)
        self.assertIn(b"ZeroDivisionError", result.stderr)
        self.assertNotIn(b".pysandbox", result.stderr)
        with self.assertRaises(EndedError) as failed:
            result.check()
        self.assertIn(b"ZeroDivisionError", failed.exception.output.stderr)
        denied = "import socket\nsocket.socket().connect(('203.0.113.9', 443))"
        stderr = self.sb.start(denied).wait(30).stderr
        self.assertIn(b'File "<string>", line 2, in <module>', stderr)
        self.assertNotIn(b".pysandbox", stderr)
        with self.assertRaises(GuestError) as caught:
            self.sb.exec(denied)
        self.assertIn("line 2, in <module>", caught.exception.traceback)
        self.assertNotIn(".pysandbox", caught.exception.traceback)

    def test_an_interrupt_of_a_program(self):
        source = "import time\ndef f():\n    print('up', flush=True)\n    while True: time.sleep(0.1)\nf()"
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

    def test_the_live_interpreter_tells_of_its_decisions(self):
        def call(port):
            with self.assertRaises(GuestError):
                sb.exec("import socket; socket.create_connection(('203.0.113.9', %d))" % port)
        with Sandbox() as sb:
            trail = sb.audit()
            for port in (443, 444):  # each is told of while the sandbox lives
                call(port)
                event = next(trail)
                self.assertEqual((event.verdict, event.target), ("deny", "tcp://203.0.113.9:%d" % port))
            call(445)
        self.assertEqual([event.target for event in trail], ["tcp://203.0.113.9:445"])
        self.assertEqual(list(sb.audit()), [])
        never = Sandbox()
        never.close()
        with self.assertRaises(EndedError):
            never.audit()

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


if __name__ == "__main__":
    unittest.main()
