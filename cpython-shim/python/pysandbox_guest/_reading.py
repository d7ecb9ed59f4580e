"""Which of the threads that wait reads the channel."""
import os
from _thread import RLock, allocate_lock, get_ident  # type: ignore[attr-defined]

from ._interrupt import Wake

try:
    from select import POLLIN, POLLOUT, poll
except ImportError:  # a rule on imports hides it
    poll = None  # type: ignore[assignment, misc]

MOMENTS = 50  # milliseconds that a thread which reads has to take in what has come
FEW = 5  # of them, to take in what is out of the socket already

LOOK = 5000  # milliseconds; a handler of another signal may have read what we wait for

# What a thread may do.
WAIT, READ, READ_ON = range(3)


class Pending:
    """A call that waits for its answer, or a thread that waits for calls."""

    __slots__ = ("number", "done", "value", "failure", "wake")

    def __init__(self):
        self.number = 0
        self.done = False
        self.value = self.failure = self.wake = None

    def result(self):
        if self.failure is not None:
            raise self.failure
        return self.value


class Reading:
    """Of the threads that wait, one reads. take(slot) takes a frame in for the thread
    that waits for slot; the host's calls of functions go to calls, which the threads
    that wait answer by serve(). A finalizer may call at any step, also of the thread
    that reads, so the lock may be had twice."""

    def __init__(self, fd, take, serve):
        self.fd, self.take, self.serve = fd, take, serve
        self.lock = RLock()
        self.calls = []
        self._by = None  # the thread that reads
        self._waiting = []

    def watch(self, interrupt):
        """What interrupts the main thread, in which this is called."""
        self.interrupt = interrupt
        if poll is not None:
            self._come, self._ready, self._room = poll(), poll(), poll()  # a signal finds one in use
            self._come.register(self.fd, POLLIN)
            self._ready.register(self.fd, POLLIN)
            self._room.register(self.fd, POLLOUT)
            interrupt.guard()

    def wait(self, slot):
        """Reads frames, or lets another thread read them, until slot is done."""
        while self.calls or not slot.done:
            if self.calls:
                self.serve()
                continue
            depth = self.interrupt.enter()
            try:
                may = self._lead(slot)
                if may == READ:
                    self._read(lambda: not slot.done and not self.calls, slot, depth)
                elif may == READ_ON:
                    self.take(slot)
            finally:
                self.interrupt.leave(depth)
            self.interrupt.rest()
            if may == WAIT and not slot.done:
                slot.wake.acquire()

    def _lead(self, slot):
        """What this thread may do: for WAIT, slot.wake will tell it to go on."""
        with self.lock:
            if slot.done:
                return WAIT
            if self._by is None:
                self._by = get_ident()
                return READ
            if self._by == get_ident():
                return READ_ON
            slot.wake = allocate_lock()
            slot.wake.acquire()
            self._waiting.append(slot)
            return WAIT

    def drain(self):
        """Takes in what has arrived, or gives the thread that reads the time to do it."""
        if poll is None:
            self._drain_blindly()
            return
        nap = allocate_lock()
        nap.acquire()
        for moment in range(MOMENTS):
            if self._leads():
                self._read(lambda: self._ready.poll(0))
                return
            if self.interrupt.explained() or moment >= FEW and not self._ready.poll(0):
                return
            nap.acquire(timeout=0.001)

    def _drain_blindly(self):
        """The same, where nothing tells whether there is something to read."""
        if not self._leads():
            return
        os.set_blocking(self.fd, False)
        self._read(lambda: True)  # until it would block
        os.set_blocking(self.fd, True)

    def _leads(self):
        with self.lock:
            if self._by is not None:
                return False
            self._by = get_ident()
            return True

    def _read(self, more, slot=None, depth=None):
        """Reads as long as there should be more. Afterwards another thread may. In the
        main thread, which says a depth, a signal ends it."""
        main = depth == 0
        try:
            while more() and not (main and self.interrupt.pending()):
                if not main or poll is None or self._comes(self._come):
                    self.take(slot)
        except OSError:
            if slot is not None:
                raise  # others are told when they wait
        finally:
            with self.lock:
                self._by = None
                waiting, self._waiting = self._waiting, []
            for other in waiting:
                other.wake.release()

    def room(self, depth):
        """Waits until a frame can be sent. In the main thread, which says a depth, a signal
        is heeded meanwhile."""
        while depth == 0 and poll is not None and not self._comes(self._room):
            self.interrupt.leave(depth)
            self.interrupt.rest()
            self.interrupt.enter_again(depth)

    def _comes(self, ready):
        """Waits for something to read, or for room, or for a signal."""
        try:
            self.interrupt.waits = True
            return not self.interrupt.pending() and ready.poll(LOOK)
        except Wake:
            return False
        finally:
            self.interrupt.waits = False

    def finish(self, slot):
        """Marks a slot as done, and wakes its thread if that waits for another to read."""
        depth = self.interrupt.enter()
        try:
            slot.done = True
            with self.lock:
                waits = slot in self._waiting
                if waits:
                    self._waiting.remove(slot)
            if waits:
                slot.wake.release()
        finally:
            self.interrupt.leave(depth)
        self.interrupt.rest()
