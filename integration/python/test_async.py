"""AsyncSandbox: the same requests, awaited; and tasks of the guest's that await the host."""
import asyncio
import inspect
import threading
import time
import unittest

from pysandbox import (
    AsyncRun, AsyncSandbox, DeadlineError, GuestError, Run, RunError, Sandbox, expose,
)
from support import GUESTS, PATIENCE, eventually


class Clock:
    """A capability whose method runs in the caller's loop."""

    def __init__(self, loop):
        self.loop = loop

    @expose
    async def same_loop(self):
        await asyncio.sleep(0.01)
        return asyncio.get_running_loop() is self.loop


class Async(unittest.TestCase):
    def test_requests(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                sb.grant("clock", Clock(asyncio.get_running_loop()))
                await sb.exec("x = 1")
                self.assertEqual(await sb.eval("x"), 1)
                self.assertTrue(await sb.eval("clock.same_loop()"))
                with self.assertRaises(GuestError):
                    await sb.eval("1/0")
                await sb.write_file("/tmp/a", b"b")
                self.assertEqual(await sb.read_file("/tmp/a"), b"b")
            self.assertEqual(sb.report.outcome, "exited")
        asyncio.run(main())

    def test_a_program(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                async with await sb.start("print(input()); print('two')", stdin=True) as run:
                    await run.write(b"one\n")
                    run.close_stdin()
                    self.assertEqual([line async for line in run.stdout], [b"one\n", b"two\n"])
                    self.assertEqual((await run.wait(PATIENCE)).exit_code, 0)
        asyncio.run(main())

    def test_decisions_are_told_beside_a_request(self):
        call = """
import socket, time
try:
    socket.socket().connect(('203.0.113.9', 443))
except PermissionError:
    time.sleep(60)
"""

        async def main():
            async with AsyncSandbox() as sb:
                trail = sb.audit()
                first = asyncio.ensure_future(trail.__anext__())
                request = asyncio.ensure_future(sb.exec(call))
                event = await asyncio.wait_for(first, PATIENCE)
                self.assertEqual((event.verdict, event.target), ("deny", "tcp://203.0.113.9:443"))
                self.assertFalse(request.done())
                request.cancel()
                await asyncio.wait([request])
            self.assertEqual([event async for event in trail], [])
        asyncio.run(main())

    def test_who_stops_waiting_takes_no_thread(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                run = await sb.start("import time\ntime.sleep(600)")
                for _ in range(12):
                    with self.assertRaises(asyncio.TimeoutError):
                        await asyncio.wait_for(run.wait(), 0.05)
                with self.assertRaisesRegex(DeadlineError, "within 0.05 seconds"):
                    await run.wait(0.05)
                await asyncio.wait_for(run.kill(), PATIENCE)
                self.assertEqual((await run.wait()).outcome, "signaled")
        asyncio.run(main())

    def test_who_stops_reading_takes_no_line_and_no_thread(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                async with await sb.start("for _ in range(2): print(input())", stdin=True) as run:
                    for text in (b"one\n", b"two\n"):
                        for _ in range(12):
                            with self.assertRaises(asyncio.TimeoutError):
                                await asyncio.wait_for(run.stdout.__anext__(), 0.05)
                        await asyncio.wait_for(run.write(text), PATIENCE)
                        self.assertEqual(await asyncio.wait_for(run.stdout.__anext__(), PATIENCE), text)
                    self.assertEqual([line async for line in run.stdout], [])
        asyncio.run(main())

    def test_parameters_are_those_of_the_other_classes(self):
        for ours, theirs in ((AsyncSandbox, Sandbox), (AsyncRun, Run)):
            own = [name for name, one in vars(ours).items() if name[:1] != "_" and inspect.isfunction(one)]
            for name in own + ["__init__"] * (ours is AsyncSandbox):
                with self.subTest(name):
                    self.assertEqual(*([(p.name, p.kind, p.default) for p in inspect.signature(
                        getattr(owner, name)).parameters.values()] for owner in (ours, theirs)))

    def test_programs_end_with_their_sandbox(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                runs = [await sb.start("import time\ntime.sleep(600)") for _ in range(3)]
                deaf = await sb.start("import signal, time\nsignal.signal(15, signal.SIG_IGN)\n"
                                      "print(1, flush=True)\nwhile True: time.sleep(60)")
                async for _ in deaf.stdout:
                    break
                began = time.monotonic()
            self.assertLess(time.monotonic() - began, PATIENCE / 2)
            for run in runs + [deaf]:
                self.assertEqual((await run.wait(PATIENCE)).outcome, "signaled")
        asyncio.run(main())

    def test_a_start_that_is_cancelled_leaves_no_program(self):
        async def main():
            async with AsyncSandbox("strict") as sb:
                await sb.eval("1")
                begun = []
                for delay in (0, 0.001, 0.003, 0.01):
                    try:
                        begun.append(await asyncio.wait_for(sb.start("import time\ntime.sleep(600)"), delay))
                    except asyncio.TimeoutError:
                        pass
                self.assertLess(len(begun), 4)
                goes_on = [process for process, _ in sb._sandbox._runs if not process.ended(1)]
                self.assertEqual(len(goes_on), len(begun))
        asyncio.run(main())


class Asker:
    """Methods that ask the sandbox which waits for them."""

    def __init__(self):
        self.sb = self.task = None
        self.heard, self.answered = [], asyncio.Event()

    async def ask(self):
        try:
            self.heard.append(await self.sb.eval("6 * 7", timeout=PATIENCE))
        except RunError as problem:
            self.heard.append(str(problem))

    @expose
    async def at_once(self):
        await self.ask()

    @expose
    async def in_a_task(self):
        await asyncio.create_task(self.ask())

    @expose
    async def blocking(self):
        try:
            self.sb._sandbox.eval("6 * 7")
        except RunError as problem:
            self.heard.append(str(problem))

    @expose
    async def later(self):
        async def wait():
            await self.answered.wait()
            await self.ask()
        self.task = asyncio.create_task(wait())


class Refusals(unittest.TestCase):
    def test_an_async_method_cannot_ask_the_sandbox_that_waits_for_it(self):
        async def main():
            asker = Asker()
            async with AsyncSandbox("strict") as asker.sb:
                asker.sb.grant("asker", asker)
                began = time.monotonic()
                for method in ("at_once", "in_a_task", "blocking"):
                    await asker.sb.eval("asker.%s()" % method)
                    self.assertIn("cannot ask the sandbox that waits for it", asker.heard.pop())
                self.assertLess(time.monotonic() - began, PATIENCE)
                await asker.sb.eval("asker.later()")
                asker.answered.set()
                await asker.task  # nobody waits for that
                self.assertEqual(asker.heard, [42])
        asyncio.run(main())

    def test_a_task_can_ask_as_soon_as_its_call_is_answered(self):
        async def main():
            asker = Asker()
            async with AsyncSandbox("strict") as asker.sb:
                asker.sb.grant("asker", asker)
                await asker.sb.eval("1")
                service = asker.sb._sandbox._live[1]._service
                send = service._send

                def busy(frame, grant):
                    send(frame, grant)
                    time.sleep(0.3)

                service._send = busy
                await asker.sb.eval("asker.later()")
                asker.answered.set()
                await asker.task
                self.assertEqual(asker.heard, [42])
        asyncio.run(main())

    def test_it_can_ask_another_one(self):
        async def main():
            asker = Asker()
            async with AsyncSandbox("strict") as asker.sb, AsyncSandbox("strict") as sb:
                sb.grant("asker", asker)
                await sb.eval("asker.at_once()")
                self.assertEqual(asker.heard, [42])
        asyncio.run(main())


class Slow:
    """Methods that take their time. Of meet and meet_blocking the first ones return when
    so many calls are under way together."""

    def __init__(self, together=0):
        self.at_once = self.most = 0
        self.together, self.lock = together, threading.Lock()

    def count(self, more):
        with self.lock:
            self.at_once += more
            self.most = max(self.most, self.at_once)

    @expose
    async def echo(self, value, seconds):
        self.count(1)
        try:
            await asyncio.sleep(seconds)
        finally:
            self.count(-1)
        return value

    @expose
    async def meet(self, value):
        self.count(1)
        until = time.monotonic() + PATIENCE
        while self.most < self.together and time.monotonic() < until:
            await asyncio.sleep(0.01)
        self.count(-1)
        return value

    @expose
    def meet_blocking(self, value):
        self.count(1)
        eventually(lambda: self.most >= self.together)
        self.count(-1)
        return value

    @expose
    def block(self, value, seconds):
        time.sleep(seconds)
        return value

    @expose(raises=(KeyError,))
    async def fail(self):
        raise KeyError("no")


class Awaited(unittest.TestCase):
    """call_async, in the guest."""

    def run_in(self, python, source, together=0):
        slow = Slow(together)
        with Sandbox("strict", python=python) as sb:
            sb.grant("slow", slow)
            sb.exec("import asyncio\n" + source, timeout=3 * PATIENCE)
            self.assertEqual(sb.eval("slow.block(1, 0)"), 1)
        return slow

    def test_calls_are_under_way_together(self):
        for python in [None] + GUESTS:
            for method in ("meet", "meet_blocking"):
                with self.subTest(python=python, method=method):
                    slow = self.run_in(
                        python, "async def main(): return await asyncio.gather(*("
                        "slow.%s.call_async(n) for n in range(50)))\n"
                        "assert asyncio.run(main()) == list(range(50))" % method, 50)
                    self.assertEqual(slow.most, 50)

    def test_more_of_them_wait(self):
        slow = self.run_in(None, "async def main(): return await asyncio.gather(*("
                           "slow.meet.call_async(n) for n in range(500)))\n"
                           "for _ in range(3): assert asyncio.run(main()) == list(range(500))", 60)
        self.assertGreaterEqual(slow.most, 60)
        self.assertLessEqual(slow.most, 64)

    def test_beside_threads(self):
        self.run_in(None, "import threading\nseen = []\n"
                    "async def main(): return await asyncio.gather(*("
                    "slow.echo.call_async(n, 0.001) for n in range(100)))\n"
                    "def loop(): seen.append(asyncio.run(main()) == list(range(100)))\n"
                    "def plain(): seen.append([slow.block(n, 0.001) for n in range(50)] == list(range(50)))\n"
                    "ts = [threading.Thread(target=f) for f in (plain, loop, plain)]\n"
                    "for t in ts: t.start()\nassert slow.block(3, 0.1) == 3\n"
                    "for t in ts: t.join()\nassert seen == [True] * 3, seen")

    def test_errors(self):
        self.run_in(None, "async def main():\n"
                    "    try: await slow.fail.call_async()\n    except KeyError as e: assert 'no' in str(e)\n"
                    "    else: assert False\n"
                    "    try: await slow.nothing.call_async()\n    except AttributeError: pass\n"
                    "    else: assert False\nasyncio.run(main())")

    def test_cancelled_ones_leave_their_places(self):
        slow = self.run_in(
            None, "async def main():\n"
            "    tasks = [asyncio.ensure_future(slow.echo.call_async(n, 600)) for n in range(150)]\n"
            "    await asyncio.sleep(0.5)\n    for task in tasks: task.cancel()\n"
            "    done = await asyncio.gather(*tasks, return_exceptions=True)\n"
            "    assert all(isinstance(one, asyncio.CancelledError) for one in done), done\n"
            "    await asyncio.sleep(0.2)\n"
            "    return await asyncio.gather(*(slow.echo.call_async(n, 0) for n in range(150)))\n"
            "assert asyncio.run(main()) == list(range(150))")
        self.assertTrue(eventually(lambda: slow.at_once == 0), slow.at_once)

    def test_in_a_program(self):
        with Sandbox("strict") as sb:
            sb.grant("slow", Slow())
            result = sb.start("import asyncio\nfrom pysandbox_guest import slow\n"
                              "async def main(): return await asyncio.gather(*("
                              "slow.echo.call_async(n, 0.1) for n in range(100)))\n"
                              "print(asyncio.run(main()) == list(range(100)))").wait(PATIENCE)
            self.assertEqual((result.stdout, result.exit_code), (b"True\n", 0), result.stderr)


if __name__ == "__main__":
    unittest.main()
