"""A SIGINT that comes at a bad moment of the guest's channel: the call that was
cancelled ends, and nothing else does. The guest's end runs in this process.
"""
import os
import signal
import socket
import sys
import threading
import time
import unittest
from pathlib import Path
from unittest import mock

from pysandbox import codec

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cpython-shim/python"))
from pysandbox_guest import _channel, _interrupt, _serve  # noqa: E402

CALL, CANCEL = codec.CALL, codec.CANCEL
SPIN = ("import time\nend = time.monotonic() + 20\nwhile time.monotonic() < end: pass\n"
        "raise ValueError('not stopped')")


class Moments(unittest.TestCase):
    def setUp(self):
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        self.host, guest = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.host.close)
        self.addCleanup(guest.close)
        self.host.settimeout(30)
        area = os.open("/dev/null", os.O_RDWR)
        self.addCleanup(os.close, area)
        with mock.patch("pysandbox_guest._channel.Area"):
            self.guest = _channel.Connection(True, guest.fileno(), area, area)
        self.receive()  # its HELLO
        self.main = type(sys)("__main__")

    def receive(self):
        return codec.decode(self.host.recv(1 << 17), lambda place: place)

    def send(self, *frame):
        self.host.send(codec.encode(list(frame), lambda value: None))

    def exec(self, number, source):
        self.send(CALL, number, 0, 0, "exec", [source, "<string>"], {})

    def cancel(self, number):
        """As the supervisor does it."""
        self.send(CANCEL, number)
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)  # the handler runs

    def serve(self):
        """Serves what has been sent. The answers by number: None for a value, or the
        type of the exception."""
        self.send(codec.CALL, 1000, 0, 0, "eval", ["1", "<string>"], {})
        answers = {}

        def host():
            while 1000 not in answers:
                frame = self.receive()
                answers[frame[1]] = frame[2] if frame[0] == codec.ERROR else None
            self.host.shutdown(socket.SHUT_RDWR)
        thread = threading.Thread(target=host)
        thread.start()
        _serve.serve(self.guest, self.main)
        thread.join()
        return answers

    def at(self, owner, name, number, turn=1, before=False):
        """Cancels a call at the turn-th time that a function of the guest's is called."""
        function, calls = getattr(owner, name), []

        def replaced(*args, **kwargs):
            calls.append(name)
            if before and len(calls) == turn:
                self.cancel(number)
            result = function(*args, **kwargs)
            if not before and len(calls) == turn:
                self.cancel(number)
            return result
        patch = mock.patch.object(owner, name, replaced)
        patch.start()
        self.addCleanup(patch.stop)

    def stopped(self):
        """Call 7 computes for long, if nobody stops it."""
        self.exec(7, SPIN)
        began = time.monotonic()
        answers = self.serve()
        self.assertIn(answers[7], ("KeyboardInterrupt", codec.NOT_BEGUN))
        self.assertLess(time.monotonic() - began, 10)

    def test_when_the_call_was_read(self):
        self.at(self.guest, "_read", 7)
        self.stopped()

    def test_while_it_is_decoded(self):
        self.at(_channel.codec, "decode", 7)
        self.stopped()

    def test_as_the_thread_stops_reading(self):
        for before in (True, False):
            with self.subTest(before=before):
                self.setUp()
                self.at(self.guest, "_stop_reading", 7, before=before)
                self.stopped()

    def test_when_the_call_has_been_taken(self):
        for before in (True, False):
            with self.subTest(before=before):
                self.setUp()
                self.at(self.guest, "next_call", 7, before=before)
                self.stopped()

    def test_as_it_begins(self):
        for before in (True, False):
            with self.subTest(before=before):
                self.setUp()
                self.at(self.guest.interrupt, "begin", 7, before=before)
                self.stopped()

    def test_after_its_end(self):
        """The answer may be either; what comes next is not harmed."""
        for name in ("end", "again"):
            for before in (True, False):
                with self.subTest(name, before=before):
                    self.setUp()
                    self.at(self.guest.interrupt, name, 7, before=before)
                    self.exec(7, "pass")
                    self.exec(8, "kept = 1")
                    answers = self.serve()
                    self.assertIn(answers[7], (None, "KeyboardInterrupt"))
                    self.assertIsNone(answers[8])
                    self.assertEqual(self.main.kept, 1)

    def test_within_a_call_of_the_hosts(self):
        """Wherever the signal finds the guest's own call, the channel stays usable."""
        for owner, name, turn in (
                (self.guest, "_lead", 2), (self.guest, "_encode", 1), (self.guest, "_read", 2),
                (self.guest, "_stop_reading", 2), (_channel.codec, "encode", 1)):
            for before in (True, False):
                with self.subTest(name, before=before):
                    self.setUp()
                    owner = self.guest if owner is not _channel.codec else owner
                    self.at(owner, name, 7, turn, before)
                    self.main.guest = self.guest
                    self.exec(7, "guest.call(5, 'm', (), {})\n" + SPIN)
                    self.answers_calls()
                    self.assertEqual(self.serve()[7], "KeyboardInterrupt")

    def answers_calls(self):
        """The host answers calls of the guest's, as soon as they come."""
        receive = self.receive

        def answering():
            while True:
                frame = receive()
                if frame[0] == CALL:
                    self.send(codec.RETURN, frame[1], None)
                elif frame[0] != CANCEL:
                    return frame
        self.receive = answering

    def test_while_another_thread_reads(self):
        """It takes the word in, and the main thread waits for a lock meanwhile."""
        self.main.guest = self.guest
        self.main.up = threading.Event()
        self.exec(7, "import threading\n"
                     "def ask():\n    up.set()\n    try: guest.call(5, 'm', (), {})\n"
                     "    except ConnectionError: pass\n"
                     "threading.Thread(target=ask).start()\nup.wait()\nimport time; time.sleep(0.2)\n"
                     "guest.call(6, 'm', (), {})")

        def later():
            self.main.up.wait(20)
            time.sleep(0.5)
            self.cancel(7)
        thread = threading.Thread(target=later)
        thread.start()
        receive, self.receive = self.receive, None

        def skipping():
            while True:
                frame = receive()
                if frame[0] not in (CALL, CANCEL):
                    return frame
        self.receive = skipping
        answers = self.serve()
        thread.join()
        self.assertEqual(answers[7], "KeyboardInterrupt")

    def test_a_program_that_nobody_asks_is_interrupted(self):
        self.guest.interrupt.serves = False
        with self.assertRaises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)

    def test_one_explained_signal_swallows_no_other(self):
        self.guest.interrupt.serves = False
        self.cancel(99)
        time.sleep(0.01)
        with self.assertRaises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(5)


class Numbers(unittest.TestCase):
    def test_a_cancel_of_every_call_leaves_a_bounded_memory(self):
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        interrupt = _interrupt.Interrupt(lambda: False, True)
        for number in range(1000):
            interrupt.cancel(number)
        self.assertLessEqual(len(interrupt.early), 16)
        self.assertLessEqual(interrupt.expected, 2)


if __name__ == "__main__":
    unittest.main()
