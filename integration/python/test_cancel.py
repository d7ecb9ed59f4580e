"""Deadlines and cancelled requests reach what runs: code in the guest, and async
methods in the host. What does not stop is ended.
"""
import asyncio
import signal
import threading
import time
import unittest

from pysandbox import (
    AsyncSandbox, DeadlineError, EndedError, GuestError, Sandbox, SandboxError, callback, expose,
)
from pysandbox.connection import Connection
from support import PATIENCE, Case, Door, hasty, longer, signal_while_in

# A signal that comes just before a sleep is seen after it, as everywhere.
SLEEP = "import time\nwhile True:\n    begun = True\n    time.sleep(5)"
SPIN = "begun = True\nn = 0\nwhile True: n += 1"
STUBBORN = "while True:\n    try: time.sleep(60)\n    except BaseException: pass"
ENDLESS = "[time.sleep(1) for _ in iter(int, 1)]"


class Clock:
    """A capability whose methods take their time."""

    def __init__(self):
        self.inside, self.cancelled, self.go_on = threading.Event(), threading.Event(), threading.Event()
        self.entered = False

    @expose
    async def forever(self):
        self.entered = True
        self.inside.set()
        try:
            await asyncio.sleep(600)
        except asyncio.CancelledError:
            self.cancelled.set()
            raise

    @expose
    def block(self):
        self.inside.set()
        self.go_on.wait(10 * PATIENCE)

    @expose
    async def has_entered(self):
        return self.entered

    @expose(params=(callback,), returns=str)
    def call(self, function):
        try:
            function(timeout=0.5)
        except DeadlineError as problem:
            return "killed" if problem.killed else "stopped"
        return "answered"

    @expose
    def now(self):
        return 1


class Deadlines(Case):
    def stops(self, source, **options):
        """Code that sets begun, and is stopped at its deadline, leaves a sandbox that goes
        on."""
        self.sb.exec("begun = False")
        for seconds in longer():
            began = time.monotonic()
            with self.assertRaises(DeadlineError) as caught:
                self.sb.exec(source, timeout=seconds, **options)
            self.assertLess(time.monotonic() - began, seconds + PATIENCE)
            self.assertFalse(caught.exception.killed)
            self.assertEqual(self.sb.eval("40 + 2"), 42)
            if self.sb.eval("begun"):
                return caught.exception

    def test_what_sleeps_or_computes_is_stopped(self):
        for source in (SLEEP, SPIN):
            with self.subTest(source):
                self.sb.exec("kept = 1")
                self.stops(source)
                self.assertEqual(self.sb.eval("kept"), 1)

    def test_a_guest_that_has_not_begun_does_not_begin(self):
        for at in range(12):
            with self.subTest(at), Sandbox() as sb:
                began = time.monotonic()
                with self.assertRaises(DeadlineError) as caught:
                    sb.exec(SPIN, timeout=at * 0.005)
                self.assertFalse(caught.exception.killed)
                self.assertIn(sb.eval("'begun' in globals()"), (True, False))
                self.assertLess(time.monotonic() - began, PATIENCE)

    def test_output_until_then_is_kept(self):
        self.assertEqual(self.stops("print('before', flush=True)\n" + SLEEP).output.stdout, b"before\n")

    def test_it_is_a_keyboard_interrupt(self):
        self.stops("import time\ntry:\n    begun = True\n    while True: time.sleep(5)\n"
                   "except KeyboardInterrupt:\n    seen = True\n    raise")
        self.assertTrue(self.sb.eval("seen"))

    def test_a_call_of_a_capability_is_left(self):
        clock = Clock()
        self.addCleanup(clock.go_on.set)
        self.sb.grant("clock", clock)
        self.stops("begun = True\nclock.block()")
        self.assertFalse(clock.cancelled.is_set())
        for _ in longer():
            self.stops("begun = True\nclock.forever()")
            if clock.entered:
                break
        self.assertTrue(clock.cancelled.wait(PATIENCE))

    def test_while_another_thread_waits_for_the_host(self):
        clock = Clock()
        self.addCleanup(clock.go_on.set)
        self.sb.grant("clock", clock)
        self.sb.exec("import threading\nt = threading.Thread(target=clock.block, daemon=True)\nt.start()")
        self.assertTrue(clock.inside.wait(PATIENCE))
        self.stops(SPIN)

    def test_what_does_not_stop_is_killed(self):
        self.sb.exec("import time")
        for seconds in longer():  # until its first try has begun
            began = time.monotonic()
            with hasty("GRACE"), self.assertRaises(DeadlineError) as caught:
                self.sb.exec(STUBBORN, timeout=seconds)
            self.assertLess(time.monotonic() - began, seconds + PATIENCE)
            if caught.exception.killed:
                break
        with self.assertRaises(EndedError) as caught:
            self.sb.eval("1")
        self.assertGreater(caught.exception.report.usage.wall_seconds, 0)
        self.assertEqual(self.sb.report, caught.exception.report)

    def test_a_late_deadline_harms_nobody(self):
        """Deadlines that come as the answer does: none of them may hit what is next."""
        for _ in range(30):
            try:
                self.sb.exec("import time; time.sleep(0.02)", timeout=0.02)
            except DeadlineError as problem:
                self.assertFalse(problem.killed)
            self.assertEqual(self.sb.eval("sum(range(10000))"), 49995000)

    def test_a_function_of_the_guests_is_stopped(self):
        self.sb.grant("clock", Clock(), callbacks=True)
        self.sb.exec("import time\nhow = clock.call(lambda: %s)" % ENDLESS)
        self.assertEqual(self.sb.eval("how"), "stopped")
        self.assertEqual(self.sb.eval("clock.now()"), 1)

    def test_a_function_that_does_not_stop_ends_the_guest(self):
        self.sb.grant("clock", Clock(), callbacks=True)
        # It is stopped as long as its first try has not begun.
        with hasty("GRACE"), self.assertRaises(EndedError):
            self.sb.exec("import time\ndef f():\n    %s\nwhile clock.call(f) == 'stopped': pass" % (
                STUBBORN.replace("\n", "\n    ")), timeout=10 * PATIENCE)

    def test_a_program_gets_no_stray_interrupt(self):
        self.sb.grant("clock", Clock(), callbacks=True)
        result = self.sb.start(
            "import time\nprint(clock.call(lambda: %s))\ntime.sleep(0.5)\n"
            "print('end')" % ENDLESS).wait(PATIENCE)
        self.assertEqual((result.stdout, result.exit_code), (b"stopped\nend\n", 0), result.stderr)

    def test_a_programs_own_interrupt_works(self):
        with self.sb.start("import time\ntry:\n    print('up', flush=True)\n    while True: time.sleep(0.1)\n"
                           "except KeyboardInterrupt:\n    print('interrupted')") as run:
            self.assertEqual(next(iter(run.stdout)), b"up\n")
            run.interrupt()
            self.assertEqual(run.wait(PATIENCE).stdout, b"interrupted\n")

    def test_the_hosts_own_interrupt(self):
        if threading.current_thread() is not threading.main_thread():
            self.fail("signals reach the main thread only")
        door = Door()
        self.sb.grant("door", door)

        def interrupt(*_):
            raise KeyboardInterrupt
        self.addCleanup(signal.signal, signal.SIGALRM, signal.signal(signal.SIGALRM, interrupt))
        with self.assertRaises(KeyboardInterrupt):
            thread = signal_while_in(
                Connection._wait, signal.SIGALRM, before=lambda: door.inside.wait(PATIENCE))
            self.sb.exec("door.note()\n" + SLEEP)
        thread.join()
        self.assertEqual(self.sb.eval("40 + 2", timeout=PATIENCE), 42)


class Tasks(unittest.TestCase):
    """asyncio on either side."""

    def test_a_cancelled_request_is_stopped(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                await sb.exec("kept = 1")
                for source in (SLEEP, SPIN):
                    await sb.exec("begun = False")
                    for seconds in longer():
                        with self.assertRaises(asyncio.TimeoutError):
                            await asyncio.wait_for(sb.exec(source), seconds)
                        self.assertEqual(await sb.eval("kept"), 1)
                        if await sb.eval("begun"):
                            break
        asyncio.run(main())

    def test_a_cancelled_request_that_does_not_stop(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                await sb.exec("import time")
                for seconds in longer():  # until its first try has begun
                    began = time.monotonic()
                    with self.assertRaises(asyncio.TimeoutError):
                        await asyncio.wait_for(sb.exec(STUBBORN), seconds)
                    self.assertLess(time.monotonic() - began, seconds + PATIENCE)
                    try:
                        await sb.eval("1")
                    except EndedError:
                        break
        with hasty("GRACE"):
            asyncio.run(main())

    def test_a_cancelled_task_of_the_guests_cancels_the_method(self):
        clock = Clock()
        with Sandbox() as sb:
            sb.grant("clock", clock)
            sb.exec("import asyncio\nasync def main():\n"
                    "    call = asyncio.ensure_future(clock.forever.call_async())\n"
                    "    while not await clock.has_entered.call_async(): await asyncio.sleep(0.01)\n"
                    "    try: await asyncio.wait_for(call, 0.5)\n"
                    "    except asyncio.TimeoutError: return 'in time'\n"
                    "loop = asyncio.new_event_loop()\ngot = loop.run_until_complete(main())\nloop.close()")
            self.assertEqual(sb.eval("got"), "in time")
            self.assertTrue(clock.cancelled.wait(PATIENCE))
            self.assertEqual(sb.eval("clock.now()"), 1)

    def test_the_end_of_a_run_cancels_its_methods(self):
        clock = Clock()
        with Sandbox() as sb:
            sb.grant("clock", clock)
            run = sb.start("clock.forever()")
            self.assertTrue(clock.inside.wait(PATIENCE))
            self.assertFalse(clock.cancelled.is_set())
            run.kill()
            self.assertTrue(clock.cancelled.wait(PATIENCE))
            run.wait(PATIENCE)

    def test_a_cancel_of_no_call_is_nothing(self):
        with Sandbox() as sb:
            sb.grant("clock", Clock())
            sb.exec("import os\nfrom pysandbox_guest._codec import encode\n"
                    "for n in (0, 1, 99, 2**40): os.write(3, encode([5, n]))")
            self.assertEqual(sb.eval("clock.now()"), 1)
            with self.assertRaises((GuestError, SandboxError)):
                sb.exec("os.write(3, encode([5, 'x']))\nclock.now()")


if __name__ == "__main__":
    unittest.main()
