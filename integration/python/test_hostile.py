"""Guests that break the rules of the channel: each costs its own run only, as a
typed error within the deadline, and another sandbox goes on.
"""
import os
import tempfile
import threading
import time
import unittest

from pysandbox import RunError, Sandbox, SandboxError, ViolationError
from pysandbox import codec
from support import PATIENCE, STUBBORN, Store, eventually, hasty, longer, memory

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


if __name__ == "__main__":
    unittest.main()
