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
from support import PATIENCE, signal_while_in

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "cpython-shim/python"))
from pysandbox_guest import _channel, _interrupt, _reading, _serve, _tables  # noqa: E402

CALL, CANCEL = codec.CALL, codec.CANCEL
SPIN = ("import time\nend = time.monotonic() + %d\n"
        "while time.monotonic() < end: pass\nraise ValueError('not stopped')" % PATIENCE)


class Moments(unittest.TestCase):
    def setUp(self):
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        self.host, guest = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        self.addCleanup(self.host.close)
        self.addCleanup(guest.close)
        self.host.settimeout(2 * PATIENCE)
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
        self.assertLess(time.monotonic() - began, PATIENCE / 2)

    def test_when_the_call_was_read(self):
        self.at(self.guest.reading, "take", 7)
        self.stopped()

    def test_while_it_is_decoded(self):
        self.at(_channel.codec, "decode", 7)
        self.stopped()

    def test_as_the_thread_stops_reading(self):
        for before in (True, False):
            with self.subTest(before=before):
                self.setUp()
                self.at(self.guest.reading, "_read", 7, before=before)
                self.stopped()

    def test_when_the_call_has_been_taken(self):
        for before in (True, False):
            with self.subTest(before=before):
                self.setUp()
                self.at(_channel, "first", 7, before=before)
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
                ("reading", "_lead", 2), ("reading", "take", 2), ("reading", "_read", 2),
                ("guest", "_encode", 1), ("codec", "encode", 1)):
            for before in (True, False):
                with self.subTest(name, before=before):
                    self.setUp()
                    owners = {"reading": self.guest.reading, "guest": self.guest, "codec": _channel.codec}
                    self.at(owners[owner], name, 7, turn, before)
                    self.main.guest = self.guest
                    self.exec(7, "guest.call(5, 'm', (), {})\n" + SPIN)
                    self.answers_calls()
                    self.assertEqual(self.serve()[7], "KeyboardInterrupt")

    def answers_calls(self, first=lambda: None):
        """The host answers calls of the guest's, as soon as they come and it has done
        something first."""
        receive, self.sent = self.receive, 0

        def answering():
            while True:
                frame = receive()
                if frame[0] == CALL:
                    self.sent += 1
                    first()
                    self.send(codec.RETURN, frame[1], None)
                elif frame[0] != CANCEL:
                    return frame
        self.receive = answering

    def test_what_is_not_sent_takes_nothing_up(self):
        """Neither a region of the area nor a place among the exported objects."""
        for owner, name in (("codec", "encode"), ("guest", "_encode"), ("reading", "room")):
            for before in (True, False):
                with self.subTest(name, before=before):
                    self.setUp()
                    self.guest.area.put.return_value = (4096, 50000)
                    owners = {"reading": self.guest.reading, "guest": self.guest, "codec": _channel.codec}
                    self.at(owners[owner], name, 7, 1, before)
                    self.main.guest = self.guest
                    self.exec(7, "guest.call(5, 'm', (b'x' * 50000, lambda: None), {})\n" + SPIN)
                    self.answers_calls()
                    self.assertEqual(self.serve()[7], "KeyboardInterrupt")
                    calls = self.guest.area.mock_calls
                    self.assertEqual(calls.count(mock.call.free(4096)) + self.sent, 1, calls)
                    self.assertEqual(len(self.guest.exports), 1 + self.sent)
                    self.assertEqual(self.guest._pending, {})

    def test_while_there_is_no_room_to_send(self):
        self.main.guest, full = self.guest, threading.Event()

        def fill():
            os.set_blocking(self.guest.fd, False)
            try:
                while True:
                    os.write(self.guest.fd, codec.encode([codec.RELEASE, 1, 1], None))
            except BlockingIOError:
                os.set_blocking(self.guest.fd, True)
            timer.start()
        self.main.fill = fill
        self.skip_kind(codec.RELEASE)
        self.answers_calls()
        receive = self.receive
        self.receive = lambda: (full.wait(PATIENCE), receive())[1]
        timer = threading.Timer(0.3, lambda: (self.cancel(7), time.sleep(0.3), full.set()))
        self.exec(7, "fill()\nguest.call(5, 'm', (), {})\n" + SPIN)
        self.assertEqual(self.serve()[7], "KeyboardInterrupt")
        timer.join()
        self.assertEqual(self.sent, 0)

    def test_while_another_thread_reads(self):
        """It takes the word in, and the main thread waits for a lock meanwhile."""
        self.main.guest = self.guest
        self.main.up = threading.Event()
        self.exec(7, "import threading\n"
                     "def ask():\n    up.set()\n"
                     "    try: guest.call(5, 'm', (), {})\n    except ConnectionError: pass\n"
                     "threading.Thread(target=ask).start()\nup.wait()\nimport time; time.sleep(0.2)\n"
                     "guest.call(6, 'm', (), {})")

        def later():
            self.main.up.wait(PATIENCE)
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

    def test_in_a_finalizer(self):
        """Where an exception would be lost, the interrupt waits until it is not."""
        self.main.cancel = lambda: self.cancel(7)
        self.exec(7, "class Last:\n    def __del__(self):\n        cancel()\n"
                     "        for _ in range(100): pass\nLast()\n" + SPIN)
        self.assertEqual(self.serve()[7], "KeyboardInterrupt")

    def test_while_a_finalizer_sends(self):
        """Nothing that waits comes after it, which could look."""
        self.main.drop = lambda: self.guest.send([codec.RELEASE, 1, 1])
        self.exec(7, "class Last:\n    def __del__(self): drop()\nLast()\n" + SPIN)
        encode, done = _channel.codec.encode, []

        def encoding(frame, refer):
            if frame[0] == codec.RELEASE and not done:
                done.append(self.cancel(7))
            return encode(frame, refer)
        with mock.patch.object(_channel.codec, "encode", encoding):
            self.skip_kind(codec.RELEASE)
            self.assertEqual(self.serve()[7], "KeyboardInterrupt")

    def skip_kind(self, kind):
        """The host drops frames of a kind."""
        receive = self.receive

        def skipping():
            while True:
                frame = receive()
                if frame[0] != kind:
                    return frame
        self.receive = skipping

    def test_a_finalizer_of_the_reading_thread_may_call(self):
        self.main.guest = self.guest
        decode, inner = _channel.codec.decode, []

        def decoding(data, resolve):
            if not inner and data[1] == codec.RETURN:
                inner.append(None)
                inner[0] = self.guest.call(6, "m", (), {})
            return decode(data, resolve)
        self.answers_calls()
        with mock.patch.object(_channel.codec, "decode", decoding):
            self.exec(7, "guest.call(5, 'm', (), {})")
            self.assertIsNone(self.serve()[7])
        self.assertEqual(inner, [None])

    def test_a_call_that_has_come_with_the_cancel_is_answered(self):
        """A function of the guest's, which the host calls as it gives another call up."""
        self.guest.exports.add("f", lambda: 5)
        self.main.both = lambda: (self.send(CALL, 8, 0, 1, "__call__", [], {}), self.cancel(7))
        self.exec(7, "both()\n" + SPIN)
        answers = self.serve()
        self.assertEqual((answers[7], answers[8]), ("KeyboardInterrupt", None))

    def test_what_hits_a_call_within_another_goes_on_to_that(self):
        """Even if the inner one swallows it; and not twice to the same."""
        self.main.cancel = lambda: None if self.main.count else self.cancel(7)
        self.main.guest, self.main.count = self.guest, []
        self.guest.exports.add("f", lambda: exec(
            "try:\n    cancel()\n    count.append('missed')\nexcept KeyboardInterrupt: count.append('inner')",
            vars(self.main)))
        self.answers_calls(lambda: self.send(CALL, 8, 0, 1, "__call__", [], {}))
        self.exec(7, "try:\n    guest.call(5, 'm', (), {})\n"
                     "except KeyboardInterrupt:\n    count.append('outer')\n"
                     "    guest.call(6, 'm', (), {})\n    count.append('cleaned')\n    raise")
        self.assertEqual(self.serve()[7], "KeyboardInterrupt")
        self.assertEqual(self.main.count, ["inner", "outer", "missed", "cleaned"])

    def test_where_select_is_hidden(self):
        with mock.patch.object(_reading, "poll", None):
            self.main.cancel = lambda: self.cancel(7)
            self.exec(7, "cancel()\n" + SPIN)
            self.assertEqual(self.serve()[7], "KeyboardInterrupt")

    def test_a_program_is_interrupted_while_it_waits_for_the_host(self):
        self.guest.interrupt.serves = False
        with self.assertRaises(KeyboardInterrupt):
            thread = signal_while_in(_reading.Reading._comes, signal.SIGINT)
            self.guest.call(5, "m", (), {})
        thread.join()

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

    def test_two_that_fall_together_swallow_no_other(self):
        """The kernel has delivered one signal for both."""
        self.guest.interrupt.serves = False
        with mock.patch.object(_interrupt, "TOGETHER", PATIENCE):
            self.send(CANCEL, 98)
            self.cancel(99)
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)  # the other may come a little later
        time.sleep(0.01)
        with mock.patch.object(_interrupt, "TOGETHER", 0.1):
            self.send(CANCEL, 98)
            self.cancel(99)
            time.sleep(0.3)
            with self.assertRaises(KeyboardInterrupt):
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(5)

    def test_what_comes_late_is_explained(self):
        """Another thread has read the word, and the main thread was within C code."""
        self.guest.interrupt.serves = False
        with mock.patch.object(_interrupt, "TOGETHER", 0.1):
            self.guest.interrupt.cancel(99)
            time.sleep(0.3)
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)

    def test_a_handler_of_another_signal_leaves_the_wait(self):
        """What it raises ends the wait, and the next SIGINT means what it always means."""
        self.guest.interrupt.serves = False
        self.addCleanup(signal.signal, signal.SIGALRM, signal.getsignal(signal.SIGALRM))

        def leave(*_):
            raise TimeoutError
        signal.signal(signal.SIGALRM, leave)
        with self.assertRaises(TimeoutError):
            thread = signal_while_in(_reading.Reading._comes, signal.SIGALRM)
            self.guest.call(5, "m", (), {})
        thread.join()
        depth = self.guest.interrupt.enter()
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0)
        self.guest.interrupt.leave(depth)
        with self.assertRaises(KeyboardInterrupt):
            self.guest.interrupt.rest()


class Areas(unittest.TestCase):
    def test_a_finalizer_in_between_gets_a_place_of_its_own(self):
        area = _tables.Area(-1, -1)
        commit, inner = area._commit, []

        def between(before, after):
            if not inner:
                inner.append(None)
                inner[0] = area._take(4096)
            return commit(before, after)
        with mock.patch.object(area, "_commit", between):
            outer = area._take(8192)
        self.assertEqual(area._used, {outer: outer + 8192, inner[0]: inner[0] + 4096})
        self.assertTrue(outer + 8192 <= inner[0] or inner[0] + 4096 <= outer)
        for start in (outer, inner[0]):
            area.free(start)
        self.assertEqual(area._free, [(0, _tables.AREA)])


class Numbers(unittest.TestCase):
    def test_a_cancel_of_every_call_leaves_a_bounded_memory(self):
        self.addCleanup(signal.signal, signal.SIGINT, signal.getsignal(signal.SIGINT))
        interrupt = _interrupt.Interrupt(lambda: False, True)
        for number in range(1000):
            interrupt.cancel(number)
        self.assertLessEqual(len(interrupt.early), 64)
        self.assertLessEqual(interrupt.expected, 2)


if __name__ == "__main__":
    unittest.main()
