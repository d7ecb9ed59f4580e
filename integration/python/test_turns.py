"""Requests of one sandbox by several threads and tasks: each has its turn, its own
output and its own error, and none is disturbed by another's deadline or end.
"""
import asyncio
import re
import signal
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from pysandbox import (
    AsyncSandbox, DeadlineError, EndedError, GuestError, RunError, Sandbox, SandboxError,
)
from pysandbox.connection import Connection
from pysandbox.turns import Turns
from support import PATIENCE, Case, Door, eventually, hasty, longer, shown, signal_while_in

SPIN = "while True: pass"
STUBBORN = "import time\nwhile True:\n    try: time.sleep(60)\n    except BaseException: pass"


class Threads(Case):
    def setUp(self):
        super().setUp()
        self.pool = ThreadPoolExecutor(20)
        self.addCleanup(self.pool.shutdown)
        self.door = Door()
        self.addCleanup(self.door.opened.set)
        self.sb.grant("door", self.door)

    def begin(self, function, *args, **options):
        """Begins a request in another thread, which has its place when this returns. The
        first one in the line must not end meanwhile."""
        line = len(self.sb._turns._line)
        asked = self.pool.submit(function, *args, **options)
        eventually(lambda: len(self.sb._turns._line) > line or asked.done())
        return asked

    def hold(self, then=""):
        """Begins a request that is under way until the door is opened."""
        first = self.begin(self.sb.exec, "door.enter()\n" + then)
        self.assertTrue(self.door.inside.wait(PATIENCE))
        return first

    def test_each_has_its_own_output(self):
        def ask(number):
            for again in range(10):
                text = "%d of %d" % (again, number)
                output = self.sb.exec("import sys\nprint(%r)\nprint(%r, file=sys.stderr)" % (text, text * 2))
                self.assertEqual((output.stdout, output.stderr), (
                    text.encode() + b"\n", text.encode() * 2 + b"\n"))
                self.assertEqual(self.sb.eval("%d * 2" % number), number * 2)
        for asked in [self.pool.submit(ask, number) for number in range(10)]:
            asked.result(120)

    def test_each_has_its_own_error(self):
        def ask(number):
            with self.assertRaises(GuestError) as caught:
                self.sb.exec("print(%d)\nraise ValueError(%d)" % (number, number))
            self.assertEqual(caught.exception.message, str(number))
            self.assertEqual(caught.exception.output.stdout, b"%d\n" % number)
        for asked in [self.pool.submit(ask, number) for number in range(40)]:
            asked.result(120)

    def test_they_are_done_in_the_order_in_which_they_came(self):
        self.sb.exec("seen = []")
        first = self.hold()
        rest = [self.begin(self.sb.exec, "seen.append(%d)" % number) for number in range(15)]
        self.door.opened.set()
        for asked in [first] + rest:
            asked.result(PATIENCE)
        self.assertEqual(self.sb.eval("seen"), list(range(15)))

    def test_a_deadline_in_the_line_disturbs_nobody(self):
        self.sb.exec("seen = []")
        first = self.hold("print('mine')")
        for function in (self.sb.eval, self.sb.exec):
            with self.assertRaises(DeadlineError) as caught:
                function("seen.append(1)", timeout=0.2)
            self.assertIn("for its turn", str(caught.exception))
            self.assertEqual((caught.exception.begun, caught.exception.killed), (False, False))
        with self.assertRaises(DeadlineError):
            self.sb.read_file("/etc/passwd", timeout=0.2)
        self.door.opened.set()
        self.assertEqual(first.result(PATIENCE).stdout, b"mine\n")
        self.assertEqual(self.sb.eval("seen"), [])

    def test_the_wait_counts(self):
        for seconds in longer():
            self.door.inside.clear()
            self.door.opened.clear()
            first, began = self.hold(), time.monotonic()
            second = self.begin(self.sb.exec, SPIN, timeout=seconds)
            time.sleep(seconds / 2)
            self.door.opened.set()
            with self.assertRaises(DeadlineError) as caught:
                second.result(seconds + PATIENCE)
            took = time.monotonic() - began
            first.result(PATIENCE)
            self.assertEqual(self.sb.eval("1"), 1)
            if caught.exception.begun:  # else its turn has come too late
                break
        words = r"within %g seconds, of which the request waited ([0-9.]+) " % seconds
        waited = float(re.search(words, str(caught.exception)).group(1))
        self.assertTrue(0 < waited <= took, (waited, took))
        self.assertFalse(caught.exception.killed)

    def test_the_hosts_own_interrupt_in_the_line(self):
        first = self.hold("print('mine')")

        def interrupt(*_):
            raise KeyboardInterrupt
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, interrupt))
        with self.assertRaises(KeyboardInterrupt):
            thread = signal_while_in(Turns.wait, signal.SIGALRM)
            self.sb.exec("print('other')")
        thread.join()
        self.door.opened.set()
        self.assertEqual(first.result(PATIENCE).stdout, b"mine\n")
        self.assertEqual(self.sb.exec("print('next')").stdout, b"next\n")

    def test_a_signal_handler_in_the_middle_cannot_ask(self):
        heard = []

        def ask(*_):
            try:
                self.sb.eval("1", timeout=PATIENCE)
            except RunError as problem:
                heard.append(str(problem))
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, ask))
        self.sb.eval("1")
        signal_while_in(
            Connection._wait, signal.SIGALRM, before=lambda: self.door.inside.wait(PATIENCE),
            after=lambda: (eventually(lambda: heard), self.door.opened.set()))
        self.assertEqual(self.sb.exec("door.enter()\nprint(1)").stdout, b"1\n")
        self.assertIn("this thread waits for the sandbox already", heard[0])

    def test_a_signal_handler_while_the_line_changes(self):
        """It is told that it cannot ask, and waits for nothing that its thread has."""
        told, sb = [], self.sb

        class Line(list):
            def append(self, turn):
                list.append(self, turn)
                signal.raise_signal(signal.SIGALRM)

            def remove(self, turn):
                list.remove(self, turn)
                signal.raise_signal(signal.SIGALRM)

        def ask(*_):
            try:
                sb.eval("1", timeout=PATIENCE)
            except RunError:
                told.append(sb._turns._lock.locked())
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, ask))
        sb._turns._line = Line()
        self.assertEqual(sb.eval("3"), 3)
        self.assertEqual(told, [True, True])

    def test_a_signal_handler_closes_while_the_line_changes(self):
        closed = []

        class Line(list):
            def append(self, turn):
                list.append(self, turn)
                signal.raise_signal(signal.SIGALRM)

        def close(*_):
            self.sb.close()
            closed.append(1)
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, close))
        self.sb.eval("1")
        self.sb._turns._line = Line()
        with self.assertRaises(EndedError):
            self.sb.eval("3")
        self.assertEqual(closed, [1])

    def test_output_of_an_interrupted_request_is_nobodys(self):
        def interrupt(*_):
            raise KeyboardInterrupt
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, interrupt))
        with self.assertRaises(KeyboardInterrupt):
            thread = signal_while_in(
                Connection._wait, signal.SIGALRM, before=lambda: self.door.inside.wait(PATIENCE))
            self.sb.exec("print('other', flush=True)\ndoor.enter()")
        thread.join()
        self.assertEqual(self.sb.exec("print('next')").stdout, b"next\n")

    def test_output_of_eval_is_dropped(self):
        self.sb.eval("print('dropped')")
        self.assertEqual(self.sb.exec("print('kept')").stdout, b"kept\n")

    def test_after_a_kill_everybody_has_the_end_and_its_report(self):
        self.sb.eval("1")
        for seconds in longer():  # until its first try has begun
            with hasty("GRACE"):
                first = self.begin(self.sb.exec, STUBBORN, timeout=seconds)
                rest = [self.begin(self.sb.eval, "1") for _ in range(3)]
                with self.assertRaises(DeadlineError) as caught:
                    first.result(seconds + PATIENCE)
            if caught.exception.killed:
                break
        for asked in rest + [self.begin(self.sb.eval, "1")]:
            with self.assertRaises(EndedError) as caught:
                asked.result(PATIENCE)
            self.assertIn("did not answer within %g seconds" % seconds, str(caught.exception))
            self.assertGreater(caught.exception.report.usage.wall_seconds, 0.4)
        self.assertEqual(self.sb.report, caught.exception.report)

    def test_close_ends_what_is_under_way(self):
        for source in (SPIN, "import time\ntime.sleep(60)"):
            with self.subTest(source):
                self.sb = Sandbox()
                self.sb.eval("1")
                first = self.begin(self.sb.exec, "print('before', flush=True)\n" + source)
                rest = [self.begin(self.sb.eval, "1") for _ in range(3)]
                self.assertTrue(eventually(lambda: shown(self.sb, b"before\n")))
                began = time.monotonic()
                self.sb.close()
                self.assertLess(time.monotonic() - began, PATIENCE / 2)
                with self.assertRaises(EndedError) as caught:
                    first.result(PATIENCE)
                self.assertEqual(str(caught.exception), "the sandbox was closed")
                self.assertEqual(caught.exception.output.stdout, b"before\n")
                self.assertEqual(caught.exception.report, self.sb.report)
                self.assertEqual(self.sb.report.outcome, "signaled")
                for asked in rest + [self.begin(self.sb.exec, "1"), self.begin(self.sb.start, "1")]:
                    with self.assertRaisesRegex(EndedError, "the sandbox is closed") as caught:
                        asked.result(PATIENCE)
                    self.assertEqual(caught.exception.report, self.sb.report)

    def test_close_ends_what_does_not_want_to(self):
        self.sb.exec("import signal, time, threading\nsignal.signal(15, lambda *_: None)")
        first = self.begin(self.sb.exec, "print('before', flush=True)\n" + STUBBORN)
        self.assertTrue(eventually(lambda: shown(self.sb, b"before\n")))
        began = time.monotonic()
        self.sb.close()
        self.assertLess(time.monotonic() - began, PATIENCE / 2)
        with self.assertRaises(EndedError) as caught:
            first.result(PATIENCE)
        self.assertEqual(caught.exception.report.outcome, "signaled")


class Handlers(unittest.TestCase):
    """What a signal handler does while its own thread asks."""

    def test_close_while_the_guest_comes_to_life(self):
        for delay in (0.001, 0.005, 0.02):
            sb = Sandbox()
            old = signal.signal(signal.SIGALRM, lambda *_: sb.close())
            try:
                signal.setitimer(signal.ITIMER_REAL, delay)
                began = time.monotonic()
                with self.assertRaises(SandboxError):
                    sb.exec("import time; time.sleep(600)")
                self.assertLess(time.monotonic() - began, PATIENCE / 2)
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
                signal.signal(signal.SIGALRM, old)
            with self.assertRaises(EndedError):
                sb.eval("1")


class Tasks(unittest.TestCase):
    def run_in(self, function):
        async def main():
            async with AsyncSandbox("strict") as sb:
                await sb.exec("import time\nseen = []")
                await function(sb)
        asyncio.run(main())

    def test_each_has_its_own_output_and_turn(self):
        async def check(sb):
            many = await asyncio.gather(*(
                sb.exec("seen.append(%d)\nprint(%d)" % (n, n)) for n in range(100)))
            self.assertEqual([one.stdout for one in many], [b"%d\n" % n for n in range(100)])
            self.assertEqual(await sb.eval("seen"), list(range(100)))
        self.run_in(check)

    def test_a_task_that_is_cancelled_in_the_line_disturbs_nobody(self):
        async def check(sb):
            door = Door()
            self.addCleanup(door.opened.set)
            sb.grant("door", door)
            first = asyncio.ensure_future(sb.exec("door.enter()\nprint('mine')"))
            others = [asyncio.ensure_future(sb.eval("seen.append(1)")) for _ in range(50)]
            last = asyncio.ensure_future(sb.eval("seen"))
            while not door.inside.is_set():
                await asyncio.sleep(0.01)
            for other in others:
                other.cancel()
            done = await asyncio.wait_for(asyncio.gather(*others, return_exceptions=True), PATIENCE)
            door.opened.set()
            self.assertTrue(all(isinstance(one, asyncio.CancelledError) for one in done))
            self.assertEqual((await first).stdout, b"mine\n")
            self.assertEqual(await last, [])
        self.run_in(check)

    def test_deadlines_in_the_line(self):
        async def check(sb):
            done = await asyncio.gather(*(
                sb.exec("time.sleep(0.3)", timeout=1) for _ in range(30)), return_exceptions=True)
            late = [one for one in done if isinstance(one, Exception)]
            self.assertGreaterEqual(len(late), 20)  # three have the time; some end just then
            for one in late:
                self.assertIsInstance(one, DeadlineError)
                self.assertFalse(one.killed)
            self.assertFalse(late[-1].begun)
            self.assertEqual(await sb.eval("1"), 1)
        self.run_in(check)

    def test_close_in_the_middle(self):
        async def check(sb):
            first = asyncio.ensure_future(sb.exec(SPIN))
            rest = [asyncio.ensure_future(sb.eval("1")) for _ in range(40)]
            await asyncio.sleep(0.3)
            began = time.monotonic()
            await sb.close()
            self.assertLess(time.monotonic() - began, PATIENCE / 2)
            done = await asyncio.gather(first, *rest, return_exceptions=True)
            self.assertIsInstance(done[0], EndedError)
            for one in done[1:]:
                self.assertIsInstance(one, EndedError)
                self.assertEqual(one.report, sb.report)
            with self.assertRaises(EndedError):
                await sb.eval("1")
        self.run_in(check)


if __name__ == "__main__":
    unittest.main()
