"""Stops what the host does not wait for any more. A guest that computes reads no
frames, so the supervisor sends SIGINT after a CANCEL. Only the main thread can be
interrupted; what does not stop, the host ends.
"""
import _signal  # signal makes enumerations of the same functions
import sys
from _thread import allocate_lock, get_ident, start_new_thread
from time import monotonic

TOGETHER = 1.0  # seconds that the second of two signals may come after the first


class Wake(BaseException):
    """A signal has come while the main thread waits for a frame."""


class Interrupt:
    """The calls of the host that the main thread answers, outermost first. drain()
    takes in the frames that have come. serves says that the host runs code here: then
    no other SIGINT means anything. Between enter() and leave() the main thread gets no
    KeyboardInterrupt."""

    def __init__(self, drain, serves):
        self.drain, self.serves = drain, serves
        self.main = get_ident()
        self.running = []
        self.cancelled = set()
        self.early = []  # calls that were cancelled before they began, or after their end
        self.meant = (None, None)  # the call that the last KeyboardInterrupt was for, and that it hit
        self.expected = 0  # signals that are explained by a CANCEL
        self.until = None  # when those that are left are one with the last that came
        self.held = 0  # enter() has been said so many times
        self.late = False  # a signal has come meanwhile
        self.reminded = False  # a thread sends the signal again
        self.waits = False  # the main thread waits for a frame
        self.due = False  # KeyboardInterrupt is, as soon as it may be
        self.kept = []  # handlers of the program's that wait, and their signals
        _signal.signal(_signal.SIGINT, self.handle)

    def guard(self):
        """Holds back the handlers of other signals too, which the program sets from now
        on: what one raises would leave a frame half taken in, or an answer unsent."""
        install, installed = _signal.signal, _signal.getsignal

        def signal(number, handler):
            if callable(handler) and number != _signal.SIGINT:
                handler = Held(self, handler)
            return plain(install(number, handler))

        def getsignal(number):
            return plain(installed(number))
        for own, theirs in ((signal, install), (getsignal, installed)):
            own.__doc__, own.__module__ = theirs.__doc__, theirs.__module__
            setattr(_signal, own.__name__, own)

    def enter(self):
        """Holds KeyboardInterrupt back in the main thread. What leave() is to be told."""
        if get_ident() != self.main:
            return None
        depth = self.held
        self.held = depth + 1
        return depth

    def leave(self, depth):
        """Ends what enter() began, and all that began within. rest() is to follow."""
        if depth is not None:
            self.held = depth

    def enter_again(self, depth):
        if depth is not None:
            self.held = depth + 1

    def rest(self):
        """Does what was held back."""
        if self.held or get_ident() != self.main:
            return
        while self.kept and not self.held:
            handler, number = self.kept.pop(0)
            handler(number, sys._getframe())
        if self.late:
            self.settle()
        elif self.due:
            self.stop()

    def pending(self):
        """Whether rest() can do something."""
        return self.late or self.kept or self.due and not swallows(sys._getframe())

    def begin(self, number):
        """A call begins. KeyboardInterrupt, now or soon, if nobody waits for it any more."""
        if get_ident() == self.main:
            self.running.append(number)
            if number in self.early:
                self.cancelled.add(number)
                self.stop()
        elif number in self.early:
            raise KeyboardInterrupt

    def end(self, number):
        """The call is over; this may be said twice."""
        if number in self.running:
            self.running.remove(number)
        self.cancelled.discard(number)

    def cancel(self, number):
        """A CANCEL has been read, by any thread."""
        self.expect()
        if number not in self.running:
            self.early = self.early[-63:] + [number]
            return
        self.cancelled.add(number)
        if get_ident() == self.main:
            self.stop()
        else:
            self.expect()
            _signal.pthread_kill(self.main, _signal.SIGINT)  # which ends what it waits for

    def expect(self):
        """A CANCEL explains a signal, which has come or will."""
        self.expected, self.until = min(self.expected + 1, 2), None

    def explained(self):
        """Whether a signal that comes now is explained. Of two that fall together, the
        kernel delivers one, and the next that comes later is neither of them."""
        if self.until is not None and monotonic() > self.until:
            self.expected, self.until = 0, None
        return self.expected

    def handle(self, number, frame):
        """The handler of SIGINT."""
        if not self.held:
            self.settle()
            return
        self.late = True
        self.wake()

    def wake(self):
        """Ends a wait of the main thread for a frame."""
        if self.waits and self.held == 1:  # and not within a handler of another signal
            self.waits = False
            raise Wake

    def settle(self):
        """Finds out what a signal means, and those that come meanwhile."""
        signals = 0
        depth = self.enter()
        try:
            while self.late or not signals:
                signals += 1
                self.late = False
                self.drain()
        finally:
            self.leave(depth)
        if self.explained():
            self.expected, self.until = max(0, self.expected - signals), monotonic() + TOGETHER
        elif not self.serves:
            self.throw(None)
        self.stop()

    def stop(self):
        """Raises KeyboardInterrupt if a call that is running was cancelled, once."""
        self.due = False
        for number in self.running:
            if number not in self.cancelled:
                continue
            if self.held:
                self.due = True
            elif swallows(sys._getframe()):
                self.due = True
                self.remember()
            else:
                self.cancelled.discard(number)
                self.throw(number)
            return

    def remember(self):
        """Has the signal sent again, until it is heeded."""
        if not self.reminded:
            self.reminded = True
            try:
                start_new_thread(self.remind, ())
            except RuntimeError:  # no thread can be had; rest() heeds it, if that comes
                self.reminded = False

    def remind(self):
        """Runs in a thread of its own."""
        nap = allocate_lock()
        nap.acquire()
        while True:
            nap.acquire(timeout=0.001)
            if not self.due:
                break
            self.expect()
            _signal.pthread_kill(self.main, _signal.SIGINT)
        self.reminded = False
        if self.due:
            self.remember()

    def throw(self, whose):
        """Interrupts what runs, for a call around it or for the program (None)."""
        self.meant = (whose, self.running[-1] if self.running else None)
        raise KeyboardInterrupt

    def again(self, number):
        """A call has ended, maybe by the interrupt that was meant for one around it."""
        whose, hit = self.meant
        if hit is None or hit != number or get_ident() != self.main:
            return
        self.meant = (None, None)
        if whose is None or whose in self.running:
            self.throw(whose)


class Held:
    """A handler of the program's, which waits as KeyboardInterrupt does."""

    def __init__(self, interrupt, handler):
        self.interrupt, self.handler = interrupt, handler

    def __call__(self, number, frame):
        if not self.interrupt.held:
            self.handler(number, frame)
            return
        self.interrupt.kept.append((self.handler, number))
        self.interrupt.wake()


def plain(handler):
    """The handler as the program has it."""
    return handler.handler if isinstance(handler, Held) else handler


def swallows(frame):
    """Whether an exception would be lost, since a finalizer of some object or of a weak
    reference runs, which the interpreter calls between any two steps."""
    while frame is not None:
        if frame.f_code.co_name == "__del__" or frame.f_globals.get("__name__") in ("weakref", "_weakrefset"):
            return True
        frame = frame.f_back
    return False
