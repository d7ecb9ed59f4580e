"""Functions of the guest's in the host's hands, called whatever the guest does: each
call ends in its answer or, at its deadline, in an error that costs nothing else.
"""
import asyncio
import threading
import time
import unittest
from contextlib import contextmanager

from pysandbox import (
    AsyncSandbox, DeadlineError, EndedError, Execution, GuestError, Sandbox, callback, expose,
)
from support import GUESTS, PATIENCE, Door, Gate, eventually, longer, shown


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
        self.go_on.wait(10 * PATIENCE)


class Callbacks(unittest.TestCase):
    def setUp(self):
        self.gate = Gate(self)
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
        self.sb = Sandbox(self.gate.policy, python=python)
        self.addCleanup(self.sb.close)
        self.sb.grant("keeper", self.keeper, callbacks=True)
        self.sb.exec("calls = 0\ndef count():\n    global calls\n    calls += 1\n    return calls\n"
                     "keeper.keep(count)")

    def late(self, call, seconds=0.3):
        """A call that is not answered, and has not begun: it ends before its guest is killed."""
        problem = self.stopped(call, seconds)
        self.assertFalse(problem.begun)
        return problem

    def stopped(self, call, seconds):
        began = time.monotonic()
        with self.assertRaises(DeadlineError) as caught:
            call(timeout=seconds)
        self.assertLess(time.monotonic() - began, seconds + PATIENCE)
        self.assertFalse(caught.exception.killed)
        return caught.exception

    @contextmanager
    def busy(self, source):
        """While the guest runs something, which has begun by then and ends without an error."""
        problems = []

        def run():
            try:
                self.sb.exec("print('busy', flush=True)\n" + source)
            except Exception as problem:
                problems.append(problem)
        thread = threading.Thread(target=run)
        thread.start()
        self.assertTrue(eventually(lambda: shown(self.sb, b"busy\n")))
        yield
        thread.join(2 * PATIENCE)
        self.assertFalse(thread.is_alive())
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
        with self.busy("while %s: pass" % self.gate.closed):
            self.assertEqual(self.keeper.function(timeout=PATIENCE), 1)
            self.gate.open()

    def test_a_guest_that_is_busy_does_not(self):
        for work in ("pass", "time.sleep(0.1)"):
            with self.subTest(work), self.busy("import time\nwhile %s: %s" % (self.gate.closed, work)):
                self.late(self.keeper.function)
                self.gate.open()
            self.gate.close()
        self.assertEqual(self.sb.eval("calls"), 0)
        self.assertEqual(self.keeper.function(timeout=PATIENCE), 1)

    def test_a_request_that_waits_for_its_turn_can_be_given_up(self):
        with self.busy("keeper.block()\nprint('mine')"):
            self.late(lambda **options: self.sb.eval("calls", **options))
            problem = self.late(lambda **options: self.sb.exec("print('other')", **options))
            self.keeper.go_on.set()
            self.assertEqual(problem.output, Execution(b"", b""))
        self.assertEqual(self.sb.exec("print('next')").stdout, b"next\n")

    def test_so_can_one_of_a_task(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                door = Door()
                self.addCleanup(door.opened.set)
                sb.grant("door", door)
                first = asyncio.ensure_future(sb.exec("door.enter()\nprint(1)"))
                while not door.inside.is_set():
                    await asyncio.sleep(0.01)
                with self.assertRaises(asyncio.TimeoutError):
                    await asyncio.wait_for(sb.exec("print(2)"), 0.2)
                door.opened.set()
                self.assertEqual((await first).stdout, b"1\n")
                self.assertEqual(await sb.eval("3"), 3)
        asyncio.run(main())

    def test_one_that_does_not_end_is_stopped(self):
        self.sb.exec("def forever():\n    while True: pass\nkeeper.keep(forever)")
        for seconds in longer():
            problem = self.stopped(self.keeper.function, seconds)
            self.assertEqual(self.sb.eval("calls"), 0)
            if problem.begun:
                break

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
                            "print('up', flush=True)\nwhile %s: time.sleep(0.1)\n"
                            "print('whole')" % self.gate.closed)
        self.assertTrue(self.keeper.kept.wait(PATIENCE))
        self.assertEqual(next(iter(run.stdout)), b"up\n")  # it has the answer
        self.late(self.keeper.function)
        self.gate.open()
        result = run.wait(PATIENCE)
        self.assertEqual((result.outcome, result.stdout, result.stderr), ("exited", b"whole\n", b""))
        with self.assertRaises(EndedError):
            self.keeper.function(timeout=PATIENCE)

    def test_that_of_a_closed_sandbox(self):
        self.sb.close()
        with self.assertRaises(EndedError):
            self.keeper.function(timeout=PATIENCE)


if __name__ == "__main__":
    unittest.main()
