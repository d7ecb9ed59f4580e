"""Functions of the guest's in the host's hands, called whatever the guest does: each
call ends in its answer or, at its deadline, in an error that costs nothing else.
"""
import asyncio
import threading
import time
import unittest
from contextlib import contextmanager
from unittest import mock

from pysandbox import (
    AsyncSandbox, DeadlineError, EndedError, Execution, GuestError, Sandbox, callback, expose,
)
from support import GUESTS

PATIENCE = 15.0  # seconds


class Keeper:
    """A capability that keeps a function, and one that waits."""

    def __init__(self):
        self.function = None
        self.kept, self.inside, self.go_on = threading.Event(), threading.Event(), threading.Event()

    @expose(params=(callback,))
    def keep(self, function):
        self.function = function
        self.kept.set()

    @expose
    def block(self):
        self.inside.set()
        self.go_on.wait(60)


class Callbacks(unittest.TestCase):
    def setUp(self):
        patient = mock.patch("pysandbox.connection.GRACE", PATIENCE)
        patient.start()
        self.addCleanup(patient.stop)
        self.keeper = Keeper()
        self.addCleanup(self.keeper.go_on.set)
        self.open(None)

    def test_what_one_raises_has_its_traceback(self):
        self.sb.exec("def inner(): return 1 / 0\ndef outer(): return inner()\nkeeper.keep(outer)",
                     filename="plugin.py")
        with self.assertRaises(GuestError) as caught:
            self.keeper.function()
        self.assertIn('File "plugin.py", line 2, in outer', caught.exception.traceback)
        self.assertIn('File "plugin.py", line 1, in inner', caught.exception.traceback)
        self.assertNotIn(".pysandbox", caught.exception.traceback)

    def open(self, python):
        self.sb = Sandbox(python=python)
        self.addCleanup(self.sb.close)
        self.sb.grant("keeper", self.keeper, callbacks=True)
        self.sb.exec("calls = 0\ndef count():\n    global calls\n    calls += 1\n    return calls\n"
                     "keeper.keep(count)")

    def late(self, call, begun=True):
        """A call that is not answered: how long it took stays near its deadline."""
        began = time.monotonic()
        with self.assertRaises(DeadlineError) as caught:
            call(timeout=0.3)
        self.assertLess(time.monotonic() - began, PATIENCE)
        self.assertFalse(caught.exception.killed)
        self.assertEqual(caught.exception.begun, begun)
        return caught.exception

    @contextmanager
    def busy(self, source):
        """While the guest runs something, which ends without an error."""
        problems = []

        def run():
            try:
                self.sb.exec("busy = True\n" + source)
            except Exception as problem:
                problems.append(problem)
        thread = threading.Thread(target=run)
        thread.start()
        time.sleep(0.2)
        yield
        thread.join(60)
        self.assertEqual(problems, [])

    def test_an_idle_guest_answers(self):
        for python in [None] + GUESTS:
            with self.subTest(python):
                self.open(python)
                self.assertEqual([self.keeper.function(timeout=PATIENCE) for _ in range(3)], [1, 2, 3])
                self.sb.close()

    def test_a_guest_that_waits_for_the_host_answers(self):
        with self.busy("keeper.block()"):
            self.assertTrue(self.keeper.inside.wait(PATIENCE))
            self.assertEqual(self.keeper.function(timeout=PATIENCE), 1)
            self.keeper.go_on.set()

    def test_so_does_one_that_computes_while_a_thread_of_it_waits(self):
        self.sb.exec("import threading\nthreading.Thread(target=keeper.block, daemon=True).start()")
        self.assertTrue(self.keeper.inside.wait(PATIENCE))
        with self.busy("import time\nend = time.monotonic() + 1\nwhile time.monotonic() < end: pass"):
            self.assertEqual(self.keeper.function(timeout=PATIENCE), 1)

    def test_a_guest_that_is_busy_does_not(self):
        for source in ("while time.monotonic() < end: pass", "time.sleep(end - time.monotonic())"):
            with self.subTest(source), self.busy("import time\nend = time.monotonic() + 1\n" + source):
                self.late(self.keeper.function, begun=False)
        self.assertEqual(self.sb.eval("calls"), 0)
        self.assertEqual(self.keeper.function(timeout=PATIENCE), 1)

    def test_a_request_that_waits_for_its_turn_can_be_given_up(self):
        with self.busy("import time\ntime.sleep(1)\nprint('mine')"):
            self.late(lambda **options: self.sb.eval("calls", **options), begun=False)
            problem = self.late(lambda **options: self.sb.exec("print('other')", **options), begun=False)
            self.assertEqual(problem.output, Execution(b"", b""))
        self.assertEqual(self.sb.exec("print('next')").stdout, b"next\n")

    def test_so_can_one_of_a_task(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                first = asyncio.ensure_future(sb.exec("import time\ntime.sleep(1)\nprint(1)"))
                await asyncio.sleep(0.2)
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(sb.exec("print(2)"), 0.2)
                self.assertEqual((await first).stdout, b"1\n")
                self.assertEqual(await sb.eval("3"), 3)
        asyncio.run(main())

    def test_one_that_does_not_end_is_stopped(self):
        self.sb.exec("def forever():\n    while True: pass\nkeeper.keep(forever)")
        self.late(self.keeper.function)
        self.assertEqual(self.sb.eval("calls"), 0)

    def test_one_that_raises(self):
        for name in ("ValueError", "SystemExit", "KeyboardInterrupt"):
            self.sb.exec("def fails(): raise %s\nkeeper.keep(fails)" % name)
            with self.assertRaises(GuestError) as caught:
                self.keeper.function(timeout=PATIENCE)
            self.assertEqual(caught.exception.type_name, name)
        self.assertEqual(self.sb.eval("calls"), 0)

    def test_that_of_a_program(self):
        self.keeper.kept.clear()
        run = self.sb.start("import time\nfrom pysandbox_guest import keeper\nkeeper.keep(lambda: 1)\n"
                            "time.sleep(1)\nprint('whole')")
        self.assertTrue(self.keeper.kept.wait(PATIENCE))
        time.sleep(0.2)  # until it has the answer
        self.late(self.keeper.function, begun=False)
        result = run.wait(60)
        self.assertEqual((result.outcome, result.stdout, result.stderr), ("exited", b"whole\n", b""))
        with self.assertRaises(EndedError):
            self.keeper.function(timeout=PATIENCE)

    def test_that_of_a_closed_sandbox(self):
        self.sb.close()
        with self.assertRaises(EndedError):
            self.keeper.function(timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
