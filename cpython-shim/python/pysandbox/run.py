"""One program in a sandbox of its own, while it runs and after."""
from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Iterator, Optional

from . import amounts, forks
from .errors import DeadlineError
from .process import STOP_PATIENCE
from .results import Event, Result

if TYPE_CHECKING:
    from .connection import Connection
    from .process import Process
    from .sandbox import Sandbox


class Run:
    """What Sandbox.start returns. stdout and stderr are iterated by line, as bytes with
    the line's end, while the program runs; what nobody reads is in the result. In a with
    statement the program is killed at the end of the block, if it still runs."""

    def __init__(self, process: Process, connection: Connection, sandbox: Sandbox):
        self._process, self._connection = process, connection
        self._sandbox = sandbox  # whose capabilities the program has
        self.stdout, self.stderr = process.stdout, process.stderr

    def write(self, data: bytes) -> None:
        """Writes to the program's standard input, which start(stdin=True) opens.
        BrokenPipeError if the program reads no more."""
        forks.check(self._process.owner)
        if self._process.stdin is None:
            raise ValueError("standard input was closed" if self._process.had_stdin else
                             "standard input is not open; start the program with stdin=True")
        try:
            view = memoryview(data).cast("B")
        except TypeError:
            raise TypeError("data is of type %s; it must be bytes" % type(data).__name__) from None
        while view:
            view = view[self._process.feed(view):]

    def close_stdin(self) -> None:
        """Lets the program see the end of its input."""
        self._process.close_stdin()

    def audit(self) -> Iterator[Event]:
        """The decisions about this run, as they are made. Of what nobody has read,
        the last 4 MiB are kept."""
        for line in self._process.audit:
            yield Event.parse(line)

    def wait(self, timeout: Optional[float] = None) -> Result:
        """The result, once the program has ended. DeadlineError after timeout
        seconds; the program then goes on."""
        forks.check(self._process.owner)
        result = self._process.wait(None if timeout is None else amounts.seconds("timeout", timeout))
        if result is None:
            raise unended(timeout or 0)
        self._connection.close()
        return result

    def interrupt(self) -> None:
        """Sends SIGINT to the program, a KeyboardInterrupt unless it handles that."""
        forks.check(self._process.owner)
        self._process.interrupt()

    def kill(self) -> None:
        """Ends the program and all that it has started. It has a moment to end by
        itself after SIGTERM."""
        forks.check(self._process.owner)
        self.close_stdin()
        self._process.terminate()
        if not self._process.ended(STOP_PATIENCE):
            self._process.kill()

    def __enter__(self) -> Run:
        return self

    def __exit__(self, *_: Any) -> None:
        if os.getpid() != self._process.owner:
            return  # the program is the parent's
        self.close_stdin()
        if self._process.wait(0) is None:
            self._process.kill()
            self._process.wait()
        self._connection.close()


def unended(seconds: float) -> DeadlineError:
    """What whoever waits is told of a program that goes on."""
    return DeadlineError("the program has not ended within %g seconds" % seconds)
