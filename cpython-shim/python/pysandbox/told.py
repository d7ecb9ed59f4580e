"""What the host's operator is told, and a guest is not: why a call of its failed. The
words of an exception may be the guest's, and it can fail as often as it likes.
"""
from __future__ import annotations

import time
from _thread import allocate_lock

from .errors import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

MOST, PERIOD = 100, 60.0  # warnings of one guest in so many seconds
LINES, WIDTH = 100, 1000  # of one traceback: its first and its last ones, and characters of each


class Told:
    """The warnings about one guest, in the log."""

    def __init__(self) -> None:
        self._lock = allocate_lock()
        self._count, self._began = 0, 0.0

    def warn(self, message: str, *args: Any, problem: Optional[BaseException] = None) -> None:
        """Logs a warning, with the traceback of a problem: its lines stand indented and
        with escapes, so that none is a line of the log's own or moves a terminal."""
        count = self._next()
        if count > MOST:
            return
        import logging
        logger = logging.getLogger("pysandbox")
        if not logger.isEnabledFor(logging.WARNING):
            return
        if count == MOST:
            message += "; what else of this guest's fails within %g seconds of the first of %d is not told"
            args += (PERIOD, MOST)
        cause = None if problem is None else (type(problem), problem, problem.__traceback__)
        record = logger.makeRecord(logger.name, logging.WARNING, __file__, 0, message, args, cause)
        if problem is not None:
            record.exc_text = _text(problem)  # formatters take it for the one that they would make
        logger.handle(record)

    def _next(self) -> int:
        """The number of this warning in its period."""
        now = time.monotonic()
        with self._lock:
            if now - self._began >= PERIOD:
                self._count, self._began = 0, now
            self._count += 1
            return self._count


def _text(problem: BaseException) -> str:
    """A traceback that says nothing to a terminal or in the name of a log."""
    from traceback import format_exception
    lines = "".join(format_exception(type(problem), problem, problem.__traceback__)).splitlines()
    if len(lines) > 2 * LINES:
        lines[LINES:-LINES] = ["..."]
    return "\n".join("  " + shown(line[:WIDTH]) for line in lines)
