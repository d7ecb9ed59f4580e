"""AsyncSandbox: the same requests, awaited."""
import asyncio
import unittest

from pysandbox import AsyncSandbox, GuestError, expose


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
                    self.assertEqual((await run.wait(30)).exit_code, 0)
        asyncio.run(main())


if __name__ == "__main__":
    unittest.main()
