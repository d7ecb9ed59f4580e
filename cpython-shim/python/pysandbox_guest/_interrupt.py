"""Stops what the host does not wait for any more. A guest that computes reads no
frames, so the supervisor sends SIGINT after a CANCEL. Only the main thread can be
interrupted; what does not stop, the host ends.
"""
import _signal  # signal makes enumerations of the same functions
from _thread import get_ident, interrupt_main


class Interrupt:
    """The calls of the host that the main thread answers, outermost first. drain()
    takes in the frames that have come and says whether there were any. serves says
    that the host runs code here: then no other SIGINT means anything."""

    def __init__(self, drain, serves):
        self.drain, self.serves = drain, serves
        self.main = get_ident()
        self.running = []
        self.cancelled = set()
        self.early = []  # calls that were cancelled before they began, or after their end
        self.raised = None  # the call that the last KeyboardInterrupt was for
        self.expected = 0  # signals that are explained by a CANCEL
        _signal.signal(_signal.SIGINT, self.handle)

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
        self.expected = min(self.expected + 1, 2)
        if number in self.running:
            self.cancelled.add(number)
            if get_ident() == self.main:
                self.stop()
            else:
                interrupt_main()
        else:
            self.early = self.early[-15:] + [number]

    def handle(self, number, frame):
        """The handler of SIGINT."""
        waits = self.drain()
        if self.expected:
            self.expected -= 1
            self.stop()
        elif not waits and not self.serves:
            _signal.default_int_handler(number, frame)

    def stop(self):
        """Raises KeyboardInterrupt if a call that is running was cancelled, once."""
        for number in self.running:
            if number in self.cancelled:
                self.cancelled.discard(number)
                self.raised = number
                raise KeyboardInterrupt

    def again(self):
        """A call within another one has ended, maybe by what was meant for the other."""
        if get_ident() == self.main and self.raised in self.running:
            self.raised = None
            raise KeyboardInterrupt
