"""Forks of the host: a child can do nothing with its parent's sandboxes, and nothing
to them.
"""
import asyncio
import multiprocessing
import os
import select
import signal
import sys
import time
import traceback
import unittest
import warnings
from concurrent.futures import ThreadPoolExecutor

from pysandbox import AsyncSandbox, RunError, Sandbox, callback, expose
from support import PATIENCE, Case


class Keeper:
    @expose(params=(callback,))
    def keep(self, function):
        self.function = function


class Forks(Case):
    def setUp(self):
        super().setUp()
        warnings.simplefilter("ignore", DeprecationWarning)  # of forks beside threads
        self.assertEqual(self.sb.eval("1"), 1)

    def in_child(self, function):
        """Runs function in a forked child, which exits as any program does. What it
        raised is a failure here."""
        reader, writer = os.pipe()
        pid = os.fork()
        if pid == 0:
            signal.alarm(int(PATIENCE))
            os.close(reader)
            try:
                function()
            except BaseException:
                os.write(writer, traceback.format_exc().encode())
            os.close(writer)
            os._exit(0)
        os.close(writer)
        ready = select.select([reader], [], [], PATIENCE + 5)[0]
        with os.fdopen(reader, "rb") as file:
            said = file.read() if ready else b"it hangs"
        self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.assertEqual(said.decode(), "")

    def refused(self, function, *args, **options):
        began = time.monotonic()
        with self.assertRaisesRegex(RunError, "belongs to process %d" % os.getppid()):
            function(*args, **options)
        self.assertLess(time.monotonic() - began, PATIENCE / 4)

    def test_a_child_is_refused_at_once(self):
        run = self.sb.start("import sys\nprint(sys.stdin.read())", stdin=True)
        grant = self.sb.grant("keeper", Keeper(), callbacks=True)

        def child():
            for function in (self.sb.eval, self.sb.exec, self.sb.start, self.sb.run_module,
                             self.sb.read_file, self.sb.list_files):
                self.refused(function, "1")
            self.refused(self.sb.grant, "other", Keeper())
            self.refused(grant.revoke)
            for function in (run.wait, run.kill, run.interrupt):
                self.refused(function)
            self.refused(run.write, b"x")
            self.assertEqual(list(run.stdout), [])
        self.in_child(child)
        self.assertEqual(self.sb.eval("2"), 2)
        run.write(b"mine")
        run.close_stdin()  # which the child had too
        self.assertEqual(run.wait(PATIENCE).stdout, b"mine\n")

    def test_the_input_of_a_program_ends_though_a_child_lives(self):
        run = self.sb.start("import sys\nprint(sys.stdin.read())", stdin=True)
        pid = os.fork()
        if pid == 0:
            time.sleep(4 * PATIENCE)
            os._exit(0)
        try:
            run.close_stdin()
            self.assertEqual(run.wait(PATIENCE).stdout, b"\n")
        finally:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)

    def test_what_a_child_closes_goes_on(self):
        run = self.sb.start("import time\ntime.sleep(2)\nprint('whole')")
        keeper = Keeper()
        self.sb.grant("keeper", keeper, callbacks=True)
        self.sb.exec("keeper.keep(lambda: 7)")

        def child():
            self.refused(keeper.function)
            del keeper.function
            with run:
                pass
            self.sb.close()
            self.sb.__del__()
            self.assertIsNone(self.sb.report)
        self.in_child(child)
        self.assertEqual(self.sb.eval("2"), 2)
        self.assertEqual(keeper.function(timeout=PATIENCE), 7)
        self.assertEqual(run.wait(PATIENCE).stdout, b"whole\n")

    def test_a_child_that_exits_ends_nothing(self):
        pid = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-W", "ignore", "-c", (
            "import os, sys\nfrom pysandbox import Sandbox\nsb = Sandbox()\nsb.eval('1')\n"
            "pid = os.fork()\nif pid == 0:\n    del sb\n    sys.exit(0)\n"
            "assert os.waitpid(pid, 0)[1] == 0\nassert sb.eval('2', timeout=60) == 2\n"
            "pid = os.fork()\nif pid == 0: sys.exit(0)\n"
            "assert os.waitpid(pid, 0)[1] == 0\nassert sb.eval('3', timeout=60) == 3")])
        self.assertEqual(os.waitpid(pid, 0)[1], 0)

    def test_a_child_has_a_sandbox_of_its_own(self):
        def child():
            with Sandbox() as sb:
                self.assertEqual(sb.exec("print(6 * 7)").stdout, b"42\n")
            self.assertEqual(sb.report.outcome, "exited")
        self.in_child(child)
        self.assertEqual(self.sb.eval("2"), 2)

    def test_multiprocessing(self):
        process = multiprocessing.get_context("fork").Process(target=time.time)
        process.start()
        process.join(PATIENCE)
        self.assertEqual(process.exitcode, 0)
        self.assertEqual(self.sb.eval("2"), 2)

    def test_in_the_middle_of_a_request(self):
        with ThreadPoolExecutor(2) as pool:
            asked = [pool.submit(self.sb.exec, "import time\ntime.sleep(1)\nprint(%d)" % n) for n in (1, 2)]
            time.sleep(0.2)
            for _ in range(5):
                self.in_child(lambda: (self.refused(self.sb.eval, "1"), self.sb.close()))
            self.assertEqual(sorted(one.result(PATIENCE).stdout for one in asked), [b"1\n", b"2\n"])

    def test_asyncio(self):
        async def main():
            sb = AsyncSandbox()
            async with sb:
                self.assertEqual(await sb.eval("1"), 1)
            return sb
        sb = asyncio.run(main())

        async def use():
            with self.assertRaisesRegex(RunError, "belongs to process"):
                await sb.eval("1")
            await sb.close()
        self.in_child(lambda: asyncio.run(use()))


if __name__ == "__main__":
    unittest.main()
