"""Guests that flood the host: each costs its own run only, ends at its deadline, and
another sandbox goes on.
"""
import socket
import statistics
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor

from pysandbox import GuestError, RunError, Sandbox, SandboxError
from pysandbox.pending import Sender
from support import PATIENCE, STUBBORN, Store, eventually, hasty, memory, shown

DEADLINE = 3  # seconds


class Floods(unittest.TestCase):
    def setUp(self):
        """Another sandbox answers all the while."""
        bystander, over, waited = Sandbox(), threading.Event(), []
        bystander.eval("1")

        def watch():
            while True:
                began = time.monotonic()
                bystander.eval("1")
                waited.append(time.monotonic() - began)
                if over.wait(0.1):
                    return
        pool = ThreadPoolExecutor(1)
        watched = pool.submit(watch)

        def end():
            over.set()
            watched.result()
            bystander.close()
            self.assertTrue(waited)
            # The machine itself may stand still for a while, but not each time.
            self.assertLess(statistics.median_low(waited), 2)
        self.addCleanup(end)

    def flood(self, source, grants=False):
        """A sandbox and its request, which floods the host and ends at its deadline."""
        sb = Sandbox()
        self.addCleanup(sb.close)
        if grants:
            sb.grant("store", Store())
        sb.exec("import os\nfrom pysandbox_guest._codec import encode")
        return lambda: sb.exec(source, timeout=DEADLINE)

    def test_frames(self):
        flood = self.flood("f = encode([7, 5])\nwhile True: os.write(3, f)")
        before = memory()
        with hasty("GRACE"), self.assertRaises(SandboxError):
            flood()
        self.assertLess(memory() - before, 100 << 20)

    def test_calls_that_nobody_reads_the_answers_of(self):
        flood = self.flood("n = store._number\ni = 10\nwhile True:\n    i += 1\n"
                           "    os.write(3, encode([1, i, 0, n, 'echo', ['x' * 30000], {}]))", grants=True)
        before = memory()
        with hasty("GRACE"), self.assertRaises(SandboxError):
            flood()
        self.assertLess(memory() - before, 300 << 20)
        self.assertLess(threading.active_count(), 100)

    def test_what_nobody_waits_for_blocks_nobody(self):
        """A function that the host drops, and a grant that it revokes."""
        from pysandbox import callback, expose

        class Keeper:
            function = None

            @expose(params=(callback,))
            def keep(self, function):
                self.function = function
        with Sandbox(deadline=10 * PATIENCE) as sb:
            keeper = Keeper()
            sb.grant("keeper", keeper, callbacks=True)
            store = sb.grant("store", Store())
            flood = ThreadPoolExecutor(1).submit(
                sb.exec,
                STUBBORN + "keeper.keep(print)\nimport os\nfrom pysandbox_guest._codec import encode\n"
                "n = store._number\ni = 10\nwhile True:\n    i += 1\n"
                "    os.write(3, encode([1, i, 0, n, 'echo', ['x' * 30000], {}]))")
            self.assertTrue(eventually(lambda: keeper.function is not None))
            time.sleep(3)  # until the answers have no room any more
            began = time.monotonic()
            keeper.function = None
            store.revoke()
            self.assertLess(time.monotonic() - began, PATIENCE)
            sb.close()
            with self.assertRaises(SandboxError):
                flood.result()

    def test_revoking_waits_for_no_guest(self):
        """Calls under way are answered, and the guest takes no answer."""
        from pysandbox import expose
        go_on, inside = threading.Event(), []

        class Slow:
            @expose
            def wait(self):
                inside.append(1)
                go_on.wait(5 * PATIENCE)
        with Sandbox(deadline=10 * PATIENCE) as sb:
            sb.grant("store", Store())
            slow = sb.grant("slow", Slow())
            flood = ThreadPoolExecutor(1).submit(
                sb.exec,
                STUBBORN + "import os\nfrom pysandbox_guest._codec import encode\n"
                "for i in range(5): os.write(3, encode([1, 2**40 + i, 0, slow._number, 'wait', [], {}]))\n"
                "n = store._number\ni = 10\nwhile True:\n    i += 1\n"
                "    os.write(3, encode([1, i, 0, n, 'echo', ['x' * 30000], {}]))")
            self.assertTrue(eventually(lambda: len(inside) == 5))
            time.sleep(3)  # until the answers have no room any more
            began = time.monotonic()
            slow.revoke()
            self.assertLess(time.monotonic() - began, PATIENCE)
            go_on.set()
            sb.close()
            with self.assertRaises(SandboxError):
                flood.result()

    def test_what_was_posted_comes_later(self):
        ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with ours, theirs:
            sender = Sender(ours, 5, self.fail)
            full = 0
            while sender.offer(b"x" * 9000):
                full += 1
            for n in range(3):
                sender.post(b"%d" % n)
            for _ in range(full):
                theirs.recv(9000)
            sender.send(b"last")
            self.assertEqual([theirs.recv(9) for _ in range(4)], [b"0", b"1", b"2", b"last"])

    def test_notes(self):
        flood = self.flood("i = 0\nwhile True:\n    i += 1\n"
                           "    os.write(3, encode([8, 'connect', str(i) * 900, 'rule', 'EACCES', 'x:1']))")
        with hasty("GRACE"), self.assertRaises(SandboxError):
            flood()

    def test_a_list_of_millions_of_files(self):
        with Sandbox(deadline=5 * PATIENCE) as sb:
            sb.exec("import pysandbox_guest._serve as serve\n"
                    "def listed(top): return b''.join(b'%06x\\0001\\0' % n for n in range(1 << 20)) * 4\n"
                    "serve.list_files.__code__ = listed.__code__")
            with self.assertRaisesRegex(RunError, "more than 262144 files"):
                sb.list_files("/tmp")

    def test_too_many_calls_are_refused(self):
        go_on = threading.Event()
        from pysandbox import expose

        class Slow:
            @expose
            def wait(self):
                go_on.wait(2 * PATIENCE)
        with Sandbox({"extends": "strict", "limits": {"pids": 200}}) as sb:
            sb.grant("slow", Slow())
            sb.eval("1")
            threading.Thread(target=lambda: (eventually(lambda: shown(sb, b"failed\n")), go_on.set())).start()
            # Small stacks: without a control group all of them count as data of one process.
            sb.exec("import threading\nthreading.stack_size(1 << 18)\nfailed = []\n"
                    "def go():\n    try: slow.wait()\n"
                    "    except Exception as e: failed.append(str(e)); print('failed', flush=True)\n"
                    "ts = [threading.Thread(target=go) for _ in range(80)]\n"
                    "[t.start() for t in ts]\n[t.join() for t in ts]", timeout=4 * PATIENCE)
            self.assertGreater(sb.eval("len(failed)"), 0)
            self.assertIn("64 calls", sb.eval("failed[0]"))

    def test_what_arguments_are_made_of_is_bounded(self):
        """A list takes some 90 bytes here for each of a frame, while its call is performed."""
        go_on, calls = threading.Event(), []
        from pysandbox import expose

        class Slow:
            @expose
            def wait(self, values):
                calls.append(len(values))
                go_on.wait(2 * PATIENCE)
        before = memory()
        with Sandbox() as sb:
            sb.grant("slow", Slow())
            sb.exec("import os\nargs = (b'\\x81' * 27 + b'\\x80') * 4000\n"
                    "for n in range(60):\n"
                    "    head = bytes([0x87, 1, 0x1a]) + (1 << 30 | n).to_bytes(4, 'big')\n"
                    "    head += bytes([0, slow._number]) + b'\\x64wait\\x81\\x99'\n"
                    "    os.write(3, head + (4000).to_bytes(2, 'big') + args + b'\\xa0')")
            self.assertEqual(sb.eval("1"), 1)
            self.assertGreater(len(calls), 10)
            self.assertLess(memory() - before, 300 << 20)
            go_on.set()
            self.assertTrue(eventually(lambda: not sb._live[1]._service._running))
            sb.eval("slow.wait([])")  # what has ended counts no more

    def test_text_of_an_exception_is_bounded(self):
        with Sandbox() as sb:
            with self.assertRaises(GuestError) as caught:
                sb.exec("class E(Exception):\n    def __str__(self): return '\\x1b[31m' * 10**6\nraise E")
            self.assertLessEqual(len(caught.exception.message), 1 << 16)


if __name__ == "__main__":
    unittest.main()
