"""The requests of one sandbox take turns, in the order in which they came."""
from __future__ import annotations

from _thread import allocate_lock, get_ident

from .errors import CancelledError, DeadlineError, RunError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, List, Optional, Set

    from .scope import Scope


class Closed(Exception):
    """The sandbox is closed, whose Sandbox.closed_error says more."""


class Turn:
    """The place of one request in the line. wake() is called, by any thread, when
    there is nothing left to wait for: then mine, closed or cancelled is set."""

    __slots__ = ("wake", "thread", "mine", "closed", "cancelled")

    def __init__(self, wake: Callable[[], None], thread: int = 0):
        self.wake, self.thread = wake, thread
        self.mine = self.closed = self.cancelled = False

    def cancel(self) -> None:
        """Ends the waiting, from any thread."""
        self.cancelled = True
        self.wake()


class Left:
    """The time of a request: seconds in all, of which it has waited some already."""

    __slots__ = ("seconds", "waited")

    def __init__(self, seconds: float, waited: float):
        self.seconds, self.waited = seconds, waited


class Turns:
    """The line of one sandbox; whoever is first has the turn."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._changing: Set[int] = set()  # threads that change the line, and may have the lock
        self._line: List[Turn] = []
        self._closed = False

    def join(self, wake: Callable[[], None], thread: int = 0) -> Turn:
        """Gives a request the last place; it must leave. thread is the one that it
        blocks, if any."""
        turn, own = Turn(wake, thread), get_ident()
        self._changing.add(own)
        try:
            with self._lock:
                self._line.append(turn)
                turn.mine = len(self._line) == 1
        finally:
            self._changing.discard(own)
        turn.closed = turn.closed or self._closed
        return turn

    def leave(self, turn: Turn) -> None:
        """Gives the turn, or the place in the line, up."""
        own = get_ident()
        self._changing.add(own)
        try:
            first = self._after(turn)
            while first is not None:
                try:
                    first.wake()
                    return
                except RuntimeError:  # an event loop that has ended, and nobody waits in it
                    first = self._after(first)
        finally:
            self._changing.discard(own)

    def _after(self, turn: Turn) -> Optional[Turn]:
        """Takes a turn out of the line. Whose turn it is then, if that is new."""
        with self._lock:
            if turn not in self._line:
                return None
            self._line.remove(turn)
            if not turn.mine or not self._line:
                return None
            first = self._line[0]
            first.mine = True
            return first

    def wait(self, seconds: float, scope: Optional[Scope]) -> Turn:
        """Waits for a turn, in this thread, at most so many seconds. A thread that has
        one, or waits for it, or is about to leave, may come again from a signal handler;
        that could never end."""
        own = get_ident()
        if own in self._changing or any(turn.thread == own for turn in list(self._line)):
            raise RunError("this thread waits for the sandbox already: "
                           "a signal handler or a finalizer cannot ask it, too")
        awake = allocate_lock()
        awake.acquire()

        def wake() -> None:
            try:
                awake.release()
            except RuntimeError:
                pass  # it is awake
        turn = self.join(wake, own)
        try:
            if not turn.mine:
                if scope is not None:
                    scope.enter(turn.cancel)
                awake.acquire(timeout=seconds)
            check(turn, seconds)
        except BaseException:
            self.leave(turn)
            raise
        return turn

    def close(self) -> bool:
        """Sends everybody away who waits or comes. Whether a request is under way. It
        takes no lock: a signal handler may close what its thread is waiting for."""
        self._closed = True  # before the look at who is there: see join
        line = list(self._line)
        for turn in line:
            turn.closed = True
        for turn in line[1:]:
            try:
                turn.wake()
            except RuntimeError:
                pass  # its event loop has ended
        return bool(line)


def check(turn: Turn, seconds: float) -> None:
    """Raises what ended the waiting, if that is not the turn."""
    if turn.closed:
        raise Closed
    if turn.cancelled:
        raise _unbegun(CancelledError("the request was cancelled while it waited for its turn"))
    if not turn.mine:
        raise _unbegun(DeadlineError("the request has waited %g seconds for its turn and has not begun; "
                                     "other requests of this sandbox came first" % seconds))


def _unbegun(problem: DeadlineError | CancelledError) -> DeadlineError | CancelledError:
    from .results import Execution  # with dataclasses, which others need not wait for
    problem.begun, problem.output = False, Execution()
    return problem
