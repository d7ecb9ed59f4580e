"""The capability by which a cell of pysandbox.rexec reaches its host."""
from __future__ import annotations

import os
import sys
import threading
from select import POLLIN, poll
from typing import TYPE_CHECKING, Any, Dict, List, Optional, Sequence, Tuple

from .capability import expose, reference
from .service import is_cancelled

if TYPE_CHECKING:
    from .rexec import RExec

FILE_METHODS = ("close", "flush", "read", "readline", "readlines", "seek", "tell", "write", "writelines")


class CellHost:
    """What a cell may ask of the host."""

    def __init__(self, cell: RExec):
        self._cell = cell
        self._reading = threading.Lock()
        self._begun = False  # a line of a terminal's has been read in part

    @expose(params=(str, str), raises=(RuntimeError,))
    def write(self, stream: str, text: str) -> None:
        self._stream(stream, ("stdout", "stderr")).write(text)

    @expose(params=(str,), raises=(RuntimeError,))
    def flush(self, stream: str) -> None:
        self._stream(stream, ("stdout", "stderr")).flush()

    @expose(params=(str, int), returns=str, raises=(RuntimeError,))
    def read(self, stream: str, size: int) -> str:
        source = self._stream(stream, ("stdin",))
        with self._reading:
            fd = _terminal(source)
            if fd is None:
                return str(source.read(size))
            text, left = "", size
            while left != 0:
                line = self._line(source, fd, left)
                if not line:
                    break
                text, left = text + line, left - len(line) if size > 0 else size
            return text

    @expose(params=(str, int), returns=str, raises=(RuntimeError,))
    def readline(self, stream: str, size: int) -> str:
        source = self._stream(stream, ("stdin",))
        with self._reading:
            fd = _terminal(source)
            return str(source.readline(size)) if fd is None else self._line(source, fd, size)

    def _line(self, source: Any, fd: int, size: int) -> str:
        """A line of a terminal's, which is not begun to be read before it is there: a call
        that nobody waits for any more must not take what is typed for somebody else."""
        ready = poll()
        ready.register(fd, POLLIN)
        there: Any = self._begun
        while not there:
            there = ready.poll(50)
            if is_cancelled():
                raise RuntimeError("nobody waits for the line any more")
        text = str(source.readline(size))
        self._begun = text[-1:] not in ("", "\n")
        return text

    def _stream(self, name: str, allowed: Sequence[str]) -> Any:
        """A stream of the host's. Code in the cell can call this whenever it likes,
        whatever its own sys.stdout is: the host knows when it may."""
        if not self._cell._lends_streams():
            raise RuntimeError("lost sys.%s: no s_ method is running" % name)
        if name not in allowed:
            raise ValueError(name)
        return getattr(sys, name)

    @expose(params=(str,), returns=(list, None))
    def load(self, name: str) -> Optional[List[Any]]:
        return self._cell.hooks.find(name, self._cell.ok_path)

    @expose(params=(str, str), raises=(Exception,))
    def hook(self, method: str, name: str) -> None:
        if method not in ("r_import", "r_reload", "r_unload"):
            raise ValueError(method)
        self._cell._nested.on = True
        try:
            getattr(self._cell, method)(name)
        finally:
            self._cell._nested.on = False

    @expose(params=(str, str, int), returns=(reference(*FILE_METHODS), list), raises=(OSError, ValueError))
    def open(self, file: str, mode: str, buf: int) -> Any:
        self._cell._nested.on = True
        try:
            opened = self._cell.r_open(file, mode, buf)
        finally:
            self._cell._nested.on = False
        return [opened.file, opened.mode, opened.buf] if isinstance(opened, OwnFile) else _File(opened)


def _terminal(source: Any) -> Optional[int]:
    """The descriptor of a stream that reads a terminal. It holds one line at a time, so
    nothing is left in the stream when one has been read; of a pipe there may be more."""
    try:
        fd = int(source.fileno())
    except (AttributeError, OSError, ValueError):  # a StringIO has none
        return None
    return fd if os.isatty(fd) else None


class OwnFile:
    """What RExec.r_open gives an override of it that the cell has called: the cell opens
    the file, and the host has nothing of it."""

    def __init__(self, file: str, mode: str, buf: int):
        self.file, self.mode, self.buf = file, mode, buf


class _File:
    """The methods of a file that r_open has opened."""

    def __init__(self, opened: Any):
        self._opened = opened

    def __pysandbox_facet__(self) -> Dict[str, Tuple[Any, Tuple[type, ...]]]:
        return {name: (getattr(self._opened, name), (OSError, ValueError))
                for name in FILE_METHODS if hasattr(self._opened, name)}
