"""Requests that may be cancelled from another thread."""
from __future__ import annotations

import threading

from .errors import CancelledError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Optional

    from .turns import Left

_current = threading.local()


class Scope:
    """The requests that one function makes of a sandbox, one after the other."""

    def __init__(self, left: Optional[Left] = None) -> None:
        self.left = left  # set if the requests have their turn
        self._lock = threading.Lock()
        self._cancelled = False
        self._stop: Optional[Callable[[], None]] = None

    def enter(self, stop: Callable[[], None]) -> None:
        """A request begins, which stop() would end. CancelledError if it is too late."""
        with self._lock:
            if self._cancelled:
                raise CancelledError("the request was cancelled")
            self._stop = stop

    def cancel(self) -> None:
        """Ends the request under way, and lets no other begin."""
        with self._lock:
            self._cancelled = True
            if self._stop is not None:
                self._stop()

    def __enter__(self) -> Scope:
        _current.scope = self
        return self

    def __exit__(self, *_: object) -> None:
        _current.scope = None


def current() -> Optional[Scope]:
    """The scope that this thread is in, or None."""
    return getattr(_current, "scope", None)
