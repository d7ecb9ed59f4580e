"""What waits for the guest."""
from __future__ import annotations

import _socket
import threading
import time

from .errors import DeadlineError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, List, Optional

    from .errors import SandboxError


class Pending:
    """A call that waits for its answer."""

    __slots__ = ("done", "value", "problem", "answered", "ended", "cancelled")

    def __init__(self) -> None:
        self.done = threading.Lock()
        self.done.acquire()
        self.value: Any = None
        self.problem: Optional[SandboxError] = None
        self.answered = self.ended = self.cancelled = False

    def wake(self) -> None:
        """Wakes whoever waits."""
        try:
            self.done.release()
        except RuntimeError:
            pass  # it is awake

    def cancel(self) -> None:
        """Ends the waiting, from any thread."""
        self.cancelled = True
        self.wake()


class Sender:
    """Sends frames to a guest that may not read them. broken(error) is told of one
    that has read nothing for too long."""

    def __init__(self, channel: _socket.socket, deadline: float, broken: Callable[[Exception], None]):
        self._channel, self._deadline, self._broken = channel, deadline, broken
        self._posted: List[bytes] = []

    def post(self, data: bytes) -> None:
        """Sends a frame for which nobody waits, and never blocks: a finalizer may call it,
        or an event loop. If there is no room, it goes before the next one."""
        self._posted.append(data)
        self._send_posted()

    def _send_posted(self) -> None:
        while self._posted:
            try:
                data = self._posted.pop(0)
            except IndexError:  # another thread was faster
                return
            if not self.offer(data):
                self._posted.insert(0, data)
                return

    def send(self, data: bytes, seconds: Optional[float] = None) -> Optional[DeadlineError]:
        """Sends one frame; waits for room at most so many seconds, or the deadline.
        Whether that failed."""
        self._send_posted()
        if self.offer(data):
            return None
        from select import POLLOUT, poll
        seconds = self._deadline if seconds is None else seconds
        ready, until = poll(), time.monotonic() + seconds
        ready.register(self._channel.fileno(), POLLOUT)
        while time.monotonic() < until:
            ready.poll(min(until - time.monotonic(), 3600.0) * 1000)
            if self.offer(data):
                return None
        problem = DeadlineError("the guest has read nothing for %g seconds" % seconds, True)
        self._broken(problem)
        return problem

    def offer(self, data: bytes) -> bool:
        """Sends one frame if there is room. True also if the channel is gone: whoever
        waits is told by the reader."""
        try:
            self._channel.send(data, _socket.MSG_DONTWAIT)
        except BlockingIOError:
            return False
        except OSError:
            pass
        return True
