"""Guests that break the rules of the channel: each costs its own run only, as a
typed error within the deadline, and another sandbox goes on.
"""
import io
import logging
import os
import socket
import statistics
import tempfile
import threading
import time
import unittest
from concurrent.futures import ThreadPoolExecutor
from unittest import mock

from pysandbox import GuestError, RunError, Sandbox, SandboxError, ViolationError
from pysandbox import codec
from pysandbox.pending import Sender
from pysandbox.told import MOST
from support import PATIENCE, Store, eventually, hasty, longer, shown

DEADLINE = 3  # seconds, for a flood
STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"
BROKEN = [
    ("nothing that is a frame", b"\xff"),
    ("an empty frame", b""),
    ("a truncated frame", codec.encode([codec.RETURN, 1, "x" * 50])[:-1]),
    ("an unknown kind", codec.encode([10])),
    ("a kind of the supervisor's", codec.encode([codec.WELCOME, 1, []])),
    ("a call with a missing element", codec.encode([codec.CALL, 1, 0, 0, "names", []])),
    ("a call with a wrong type", codec.encode([codec.CALL, "1", 0, 0, "names", [], {}])),
    ("an answer to no call", codec.encode([codec.RETURN, 999, None])),
    ("a second HELLO", codec.encode([codec.HELLO, 1])),
    ("a note that is none", codec.encode([codec.NOTE, 1])),
    ("bytes after the frame", codec.encode([codec.FREE, 0]) + b"\0"),
    ("a deep value", bytes([0x83, 2, 1]) + b"\x81" * 100 + b"\0"),
    ("a depth beyond recursion", bytes([0x83, 2, 1]) + b"\x81" * 100000 + b"\0"),
    ("a duplicate key", bytes([0x83, 2, 1, 0xA2, 0x61, 0x61, 1, 0x61, 0x61, 2])),
    ("a huge count", bytes([0x83, 2, 1, 0x9B]) + b"\xff" * 8),
    ("a long form", bytes([0x83, 2, 1, 0x18, 1])),
    ("a frame without an end", bytes([0x83, 2, 1, 0x9F])),
    ("a frame of the greatest size", bytes(
        [0x83, 2, 1, 0x5A]) + (codec.MAX_FRAME - 8).to_bytes(4, "big") + bytes(codec.MAX_FRAME - 8)),
    ("an oversized frame", bytes(codec.MAX_FRAME + 1)),
    ("a region outside of the area", bytes([0x83, 2, 1, 0xD8, 0x27, 0x82, 0x1B]) + b"\x0f" * 8 + b"\x01"),
    ("text outside of the area", bytes([0x83, 2, 1, 0xD8, 0x27, 0x82, 0x1B]) + b"\x0f" * 8 + b"\x21"),
    ("a bomb of regions", None),
    ("a release of nothing", codec.encode([codec.RELEASE, 1, 0])),
]


def bomb():
    """One argument that repeats the whole area as often as a frame has room."""
    region = b"\xd8\x27\x82\x00\x1a\x04\x00\x00\x00"
    count = 10000
    return bytes(
        [0x87, 1, 1, 0, 0]) + b"\x64echo" + b"\x81\x99" + count.to_bytes(2, "big") + region * count + b"\xa0"


class Frames(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bystander = Sandbox()
        cls.bystander.exec("n = 0")

    @classmethod
    def tearDownClass(cls):
        cls.bystander.close()

    def attack(self, source, expected=SandboxError, timeouts=(2 * PATIENCE,), **values):
        """Runs source in a guest that holds a capability and does not stop when it is
        asked to; it must end in an error. What ends by a timeout may not have begun by the
        first."""
        before = memory()
        with Sandbox() as sb:
            sb.grant("store", Store(), callbacks=True)
            for name, value in values.items():
                sb.write_file("/tmp/" + name, value)
            for seconds in timeouts:
                began = time.monotonic()
                # The run of a guest that breaks the rules ends, and no other one.
                with hasty("GRACE", *["REPORT_PATIENCE"] * (expected is not ViolationError)):
                    with self.assertRaises(expected) as caught:
                        sb.exec(STUBBORN + source + "\nimport time; time.sleep(1000)", timeout=seconds)
                if getattr(caught.exception, "killed", True):
                    break
            if isinstance(caught.exception, ViolationError):
                report = caught.exception.report
                self.assertIn(report.outcome, ("violation", "signaled"))  # by the relay, or by us
                if report.outcome == "violation":
                    self.assertEqual([v.operation for v in report.violations], ["channel"])
            self.assertLess(time.monotonic() - began, seconds + PATIENCE)
            with self.assertRaises(SandboxError):
                sb.eval("1")
        self.assertLess(memory() - before, 200 << 20)
        self.bystander.exec("n += 1")

    def test_broken_frames(self):
        for name, frame in BROKEN:
            with self.subTest(name):
                self.attack("import os; os.write(3, open('/tmp/frame', 'rb').read())",
                            RunError if name == "an empty frame" else ViolationError, frame=bomb(
                                ) if frame is None else frame)

    def test_text_in_the_area_is_checked(self):
        eight = bytes([0x83, 2, 1, 0xD8, 0x27, 0x82, 0, 0x28])
        self.attack("import os; os.pwrite(5, b'\\xff' * 8, 0); os.write(3, open('/tmp/frame', 'rb').read())",
                    ViolationError, frame=eight)

    def test_every_prefix_and_then_silence(self):
        frame = codec.encode([codec.CALL, 77, 0, 0, "lookup", ["store"], {}])
        for length in range(1, len(frame)):
            with self.subTest(length=length):
                self.attack("import os; os.write(3, %r); os.close(3)" % frame[:length])

    def test_a_closed_channel(self):
        self.attack("import os; os.close(3)", timeouts=longer())

    def test_silence(self):
        self.attack("pass", timeouts=longer())

    def test_answers_in_another_order(self):
        self.attack("import os\nfrom pysandbox_guest._codec import encode\n"
                    "for n in (9, 8, 7): os.write(3, encode([2, n, None]))", ViolationError)

    def test_a_repeated_answer(self):
        """A guest may answer its own request early, but not twice."""
        with Sandbox() as sb:
            with self.assertRaises(ViolationError):  # now, or at the next request
                sb.exec("import os, time\nfrom pysandbox_guest._codec import encode\n"
                        "n = __import__('pysandbox_guest')._connection.interrupt.running[-1]\n"
                        "for _ in range(2): os.write(3, encode([2, n, None]))\ntime.sleep(1000)")
                for _ in range(100):
                    sb.eval("1", timeout=PATIENCE)

    def test_a_repeated_call(self):
        """Two calls of one number: the second is refused while the first is under way,
        and both are answered."""
        with Sandbox() as sb:
            sb.grant("store", Store())
            sb.exec("import os\nfrom pysandbox_guest._codec import encode\n"
                    "for _ in range(2): os.write(3, encode([1, 2**40, 0, store._number, 'later', [1], {}]))")
            self.assertEqual(sb.eval("store.echo(3)"), 3)

    def test_what_a_dead_guest_is_sent_reaches_no_file_of_the_hosts(self):
        """The areas are closed with the channel. A method that is still at work then has
        a result for them, when their numbers are those of other files."""
        from pysandbox import expose
        inside, go_on = threading.Event(), threading.Event()

        class Slow:
            @expose
            def echo(self, value):
                inside.set()
                go_on.wait(2 * PATIENCE)
                return value

            @expose
            def echoes(self):
                return inside.is_set()
        with Sandbox() as sb:
            sb.grant("slow", Slow())
            before, others = set(os.listdir("/proc/self/fd")), set(threading.enumerate())
            with self.assertRaises(SandboxError):
                sb.exec("import os, threading, time\n"
                        "threading.Thread(target=slow.echo, args=(b'x' * 100000,), daemon=True).start()\n"
                        "while not slow.echoes(): time.sleep(0.01)\nos._exit(0)")
            eventually(lambda: not set(os.listdir("/proc/self/fd")) - before)
            files = [tempfile.TemporaryFile() for _ in range(20)]
            for file in files:
                self.addCleanup(file.close)
            go_on.set()
            for thread in set(threading.enumerate()) - others:
                thread.join(PATIENCE)
                self.assertFalse(thread.is_alive())
            self.assertEqual([os.fstat(file.fileno()).st_size for file in files], [0] * 20)

    def test_a_descriptor_is_not_taken(self):
        before = len(os.listdir("/proc/self/fd"))
        with Sandbox() as sb:
            sb.exec("import socket, array, os\nfrom pysandbox_guest._codec import encode\n"
                    "s = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET, 0, os.dup(3))\n"
                    "fds = array.array('i', [1] * 50).tobytes()\n"
                    "for i in range(20):\n"
                    "    try: s.sendmsg([encode([7, 99])], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, fds)])\n"
                    "    except OSError: pass")
            self.assertEqual(sb.eval("1"), 1)
            self.assertLess(len(os.listdir("/proc/self/fd")), before + 20)


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


class Log(unittest.TestCase):
    """What the host's operator reads of a method that has failed holds the guest's words."""

    FORGED = "\x1b]0;owned\x07\nCRITICAL:root:forged\r\u2028\x85forged"

    def told(self, source):
        """What a handler writes to a terminal while a guest runs source."""
        from pysandbox import expose

        class Strict:
            @expose
            def get(self, name):
                raise LookupError("there is no " + name)
        written = io.StringIO()
        handler, logger = logging.StreamHandler(written), logging.getLogger("pysandbox")
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        with mock.patch.object(logger, "propagate", False), mock.patch.object(logger, "handlers", [handler]):
            with Sandbox() as sb:
                sb.grant("strict", Strict())
                sb.exec("def get(name):\n    try: strict.get(name)\n    except Exception: pass\n" + source)
        return written.getvalue()

    def test_it_moves_no_terminal_and_forges_no_line(self):
        text = self.told("get(%r)" % self.FORGED)
        self.assertIn("LookupError: there is no \\x1b]0;owned\\x07\n", text)
        self.assertTrue(text.replace("\n", "").isprintable())
        lines = text.split("\n")[:-1]
        self.assertEqual([line for line in lines if line[:2] != "  "],
                         ["WARNING:pysandbox:the exposed method get failed"])

    def test_it_has_a_bound(self):
        self.assertLess(len(self.told("get('x' * (20 << 20))\nget('x\\n' * (1 << 20))")), 10000)
        text = self.told("for n in range(1000): get('%d' % n)")
        self.assertEqual(text.count("the exposed method get failed"), MOST)
        self.assertIn("is not told", text)


def memory():
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096


if __name__ == "__main__":
    unittest.main()
