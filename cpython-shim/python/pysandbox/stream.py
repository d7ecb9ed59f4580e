"""The output of a run on its way to whoever reads it."""
from __future__ import annotations

import os
import select
import threading
import time
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Callable, Dict, Iterator, List, Optional

CHUNK = 1 << 16
AUDIT_BOUND = 4 << 20
UNREAD = 512 << 20  # bytes of one stream that nobody has read yet


class Stream:
    """Bytes that arrive from a guest. What is kept is bounded by the policy's
    limit on output or, with a bound in bytes, by that: the oldest lines that nobody
    has read give way. Where the policy has no limit, full() is called once, when more
    than UNREAD bytes wait for a reader, and nothing more is kept. Iterating yields lines
    as they arrive, each once."""

    def __init__(self, bound: int = 0, full: Optional[Callable[[], None]] = None) -> None:
        self._data = bytearray()
        self._bound = bound
        self._full = full
        self._over = False
        self._searched = 0  # bytes of data that hold no end of a line
        self._ended = False
        self._changed = threading.Condition()
        self._wakes: List[Callable[[], None]] = []

    def feed(self, data: bytes) -> None:
        if self._over:
            return  # also what there is room for: it would hide that something is missing
        if self._full is not None and len(self._data) + len(data) > UNREAD:
            self._over = True
            self._full()
            return
        with self._changed:
            self._data += data
            if self._bound and len(self._data) > self._bound:
                end = self._data.find(b"\n", len(self._data) - self._bound)
                self._take(end + 1 if end >= 0 else len(self._data))
            self._wake()

    def end(self) -> None:
        with self._changed:
            self._ended = True
            self._wake()

    def _wake(self) -> None:
        self._changed.notify_all()
        wakes, self._wakes = self._wakes, []
        for wake in wakes:
            try:
                wake()
            except RuntimeError:
                pass  # its event loop has ended

    def forget(self) -> None:
        """Ends it in a forked child, where its lock may be held by nobody."""
        self._changed = threading.Condition()
        self._ended = True

    def _take(self, size: int) -> bytes:
        taken = bytes(self._data[:size])
        del self._data[:size]
        self._searched = 0
        return taken

    def rest(self, timeout: Optional[float] = None) -> bytes:
        """All that nobody has read, once the stream has ended."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended, timeout)
            return self._take(len(self._data))

    @property
    def ended(self) -> bool:
        """Whether nothing more will arrive."""
        return self._ended

    def available(self) -> bytes:
        """All that has arrived and nobody has read; it does not wait."""
        with self._changed:
            return self._take(len(self._data))

    def between(self, mark: bytes, until: float) -> tuple[bytes, bool]:
        """What stands between two marks, as until does; what is before is dropped."""
        before, begun = self.until(mark, max(0.0, until - time.monotonic()))
        if not begun:
            return b"", False
        return self.until(mark, max(0.0, until - time.monotonic()))

    def until(self, mark: bytes, timeout: float) -> tuple[bytes, bool]:
        """What stands before mark, which is taken away, and True. Without a mark in
        time (the guest may have closed its output), all that has arrived, but for
        the beginning of a mark, and False."""
        deadline = time.monotonic() + timeout
        searched = 0
        with self._changed:
            while True:
                at = self._data.find(mark, max(0, searched - len(mark)))
                if at >= 0:
                    before = self._take(at)
                    self._take(len(mark))
                    return before, True
                searched = len(self._data)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    begun = next((n for n in range(len(mark) - 1, 0, -1) if self._data.endswith(mark[:n])), 0)
                    before = self._take(len(self._data) - begun)
                    if self._ended:
                        self._data.clear()
                    return before, False
                self._changed.wait(left)

    def _line(self) -> Optional[bytes]:
        at = self._data.find(b"\n", self._searched)
        if at < 0 and not self._ended:
            self._searched = len(self._data)
            return None
        return self._take(at + 1 if at >= 0 else len(self._data))

    def line(self, wake: Callable[[], None]) -> Optional[bytes]:
        """The next line, b"" at the end, or None if it is not there yet: then wake() is
        called once, by any thread, when it may be, unless forget_wake() comes first."""
        with self._changed:
            line = self._line()
            if line is None:
                self._wakes.append(wake)
            return line

    def forget_wake(self, wake: Callable[[], None]) -> None:
        with self._changed:
            self._wakes = [other for other in self._wakes if other is not wake]

    def __iter__(self) -> Iterator[bytes]:
        while True:
            with self._changed:
                line = self._line()
                while line is None:
                    self._changed.wait()
                    line = self._line()
            if not line:
                return
            yield line


class Pump:
    """One thread that reads several descriptors, which it owns, into streams, and
    then waits for the process that wrote. status is what wait() has returned."""

    def __init__(self, streams: Dict[int, Stream], wait: Callable[[], Optional[int]]):
        self._streams, self._wait = streams, wait
        self.status: Optional[int] = None
        self._open = set(streams)
        self._over = allocate_lock()
        self._over.acquire()
        self._thread = threading.Thread(target=self._run, name="pysandbox output", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        ready = select.poll()
        for fd in self._open:
            ready.register(fd, select.POLLIN)
        while self._open:
            for fd, _ in ready.poll():
                data = os.read(fd, CHUNK)
                if data:
                    self._streams[fd].feed(data)
                    continue
                ready.unregister(fd)
                self._open.discard(fd)
                os.close(fd)
                self._streams[fd].end()
        self.status = self._wait()
        self._over.release()

    def forget(self) -> None:
        """Closes what a forked child has got of it."""
        for fd in self._open:
            os.close(fd)
        for stream in self._streams.values():
            stream.forget()

    def over(self, seconds: float) -> bool:
        """As join, for a thread that threading does not know."""
        over = self._over.acquire(timeout=seconds)
        if over:
            self._over.release()
        return over

    def join(self, timeout: Optional[float]) -> bool:
        self._thread.join(timeout)
        return not self._thread.is_alive()
