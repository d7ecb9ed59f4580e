"""Stops what the host does not wait for any more. A guest that computes reads no
frames, so the supervisor sends SIGINT after a CANCEL. Only the main thread can be
interrupted; what does not stop, the host ends.
"""
import _signal  # signal makes enumerations of the same functions
from _thread import get_ident


class Interrupt:
    """The calls of the host that the main thread answers, outermost first. drain()
    takes in the frames that have come and says whether there were any. serves says
    that the host runs code here: then no other SIGINT means anything. In a with
    statement the main thread gets its KeyboardInterrupt at the end, and not within."""

    def __init__(self, drain, serves):
        self.drain, self.serves = drain, serves
        self.main = get_ident()
        self.running = []
        self.cancelled = set()
        self.early = []  # calls that were cancelled before they began, or after their end
        self.raised = None  # the call that the last KeyboardInterrupt was for
        self.expected = 0  # signals that are explained by a CANCEL
        self.ahead = False  # a signal has come before its CANCEL was read
        self.unread = False  # so that somebody has to look for it
        self.held = 0  # with statements that the main thread is in
        self.due = False  # at their end, KeyboardInterrupt is
        _signal.signal(_signal.SIGINT, self.handle)

    def hold(self):
        """The main thread gets no KeyboardInterrupt until it says let()."""
        if get_ident() == self.main:
            self.held += 1

    def let(self):
        if get_ident() == self.main:
            self.held -= 1

    def __enter__(self):
        self.hold()

    def __exit__(self, *_):
        self.let()
        main = get_ident() == self.main
        if main and self.held:
            return
        if self.unread:
            self.drain()
        self.rest()

    def rest(self):
        """Raises the KeyboardInterrupt that was due while it was held back."""
        if self.due and not self.held and get_ident() == self.main:
            self.stop()

    def begin(self, number):
        """A call begins. KeyboardInterrupt if nobody waits for it any more."""
        if get_ident() == self.main:
            self.running.append(number)
        if number in self.early:
            raise KeyboardInterrupt

    def end(self, number):
        """The call is over; this may be said twice."""
        if number in self.running:
            self.running.remove(number)
        self.cancelled.discard(number)
        if self.raised == number:
            self.raised = None

    def cancel(self, number):
        """A CANCEL has been read, by any thread."""
        if self.ahead:
            self.ahead = False
        else:
            self.expect()
        if number not in self.running:
            self.early = self.early[-15:] + [number]
            return
        self.cancelled.add(number)
        if get_ident() == self.main:
            self.stop()
        else:
            self.expect()
            _signal.pthread_kill(self.main, _signal.SIGINT)  # which ends what it waits for

    def expect(self):
        self.expected = min(self.expected + 1, 2)

    def later(self):
        """A signal has come while nobody can look for its CANCEL."""
        self.ahead = self.unread = True

    def handle(self, number, frame):
        """The handler of SIGINT."""
        waits = True
        if self.held:
            self.later()
        else:
            waits = self.drain()
        if self.expected:
            self.expected -= 1
        elif not waits and not self.serves:
            _signal.default_int_handler(number, frame)
        self.stop()

    def stop(self):
        """Raises KeyboardInterrupt if a call that is running was cancelled, once."""
        self.due = False
        for number in self.running:
            if number in self.cancelled:
                if self.held:
                    self.due = True
                    return
                self.cancelled.discard(number)
                self.raised = number
                raise KeyboardInterrupt

    def again(self):
        """A call within another one has ended, maybe by what was meant for the other."""
        if get_ident() == self.main and self.raised in self.running:
            self.raised = None
            raise KeyboardInterrupt
