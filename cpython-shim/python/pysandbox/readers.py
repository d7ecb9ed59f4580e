"""The threads that take in what a guest sends."""
from __future__ import annotations

import threading

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional

PATIENCE = 0.001  # seconds that a call may take before another thread reads on
REST = 50  # times PATIENCE without a call, after which the follower sleeps


class Readers:
    """One thread at a time reads, and itself performs the call that it has read:
    to wake another for each would take longer than most calls. A second one, the
    follower, takes the reading over from a call that is not done after PATIENCE,
    so that a slow method holds nobody up; but of no more than most threads. read()
    returns a call, or None at the end; perform(call) performs it."""

    def __init__(self, read: Callable[[], Optional[Any]], perform: Callable[[Any], None], most: int):
        self._read, self._perform, self._most = read, perform, most
        self._lock = threading.Lock()
        self._changed = threading.Condition(self._lock)
        self._threads = 0
        self._calls = 0
        self._performing: Optional[int] = None  # the thread that reads and performs a call
        self._left = False  # nobody reads
        self._followed = self._resting = self._ended = False

    def start(self) -> None:
        self._spawn(True)

    def leave(self) -> None:
        """Called by a thread that performs a call and is about to wait for what
        would have to be read: another one reads on at once."""
        with self._lock:
            if self._performing == threading.get_ident():
                self._performing, self._left = None, True
                self._changed.notify()

    def _spawn(self, leads: bool) -> None:
        with self._lock:
            self._threads += 1
        threading.Thread(target=self._work, args=(leads,), name="pysandbox", daemon=True).start()

    def _work(self, leads: bool) -> None:
        while self._lead() if leads else self._follow():
            leads = not leads
        with self._lock:
            self._threads -= 1

    def _lead(self) -> bool:
        """Reads and performs until another thread reads. Whether to follow it."""
        own = threading.get_ident()
        while True:
            call = self._read()
            with self._lock:
                if call is None:
                    self._ended = True
                    self._changed.notify()
                    return False
                self._calls += 1
                self._performing = own
                more = not self._followed and self._threads < self._most
                if more:
                    self._followed = True
                if self._resting:
                    self._changed.notify()
            if more:
                self._spawn(False)
            self._perform(call)
            with self._lock:
                if self._performing == own:
                    self._performing = None
                    continue
                if self._followed or self._ended:
                    return False
                self._followed = True
                return True

    def _follow(self) -> bool:
        """Waits until it is time to read. False if there is nothing to read any more."""
        idle, seen = 0, -1
        with self._lock:
            while not self._left and (self._performing is None or self._calls != seen):
                if self._ended:
                    return False
                idle = idle + 1 if self._calls == seen else 0
                seen = self._calls
                self._resting = idle > REST
                self._changed.wait(None if self._resting else PATIENCE)
                self._resting = False
            self._followed = self._left = False
            self._performing = None
        return True
