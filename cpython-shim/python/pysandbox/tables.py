"""What the two ends of a channel share: objects by number, and areas for bytes
that are too long for a frame. The host and the guest have this same file.
"""
import os
from _thread import RLock  # type: ignore[attr-defined]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, Hashable, List, Optional, Tuple

MAX_EXPORTS = 4096
AREA = 64 << 20  # bytes; capability.AreaSize of the supervisor


class ExportLimit(RuntimeError):
    """More objects than MAX_EXPORTS would be in the other side's hands."""


class Gone(Exception):
    """The other side has ended, and the areas are closed."""


class Exports:
    """The objects that the other side may name. Numbers count from 0 and are
    never used twice, so that an old one names nothing."""

    def __init__(self) -> None:
        self._lock = RLock()  # a finalizer may come in between
        self._entries: Dict[int, List[Any]] = {}  # number: [object, key, times sent]
        self._numbers: Dict[Hashable, int] = {}  # key: number
        self._next = 0

    def add(self, key: "Hashable", thing: "Any") -> int:
        """The number of thing; equal keys have equal numbers."""
        with self._lock:
            number = self._numbers.get(key)
            if number is None:
                if len(self._entries) >= MAX_EXPORTS:
                    raise ExportLimit("%d objects are exported already" % MAX_EXPORTS)
                number = self._next
                self._next += 1
                self._numbers[key] = number
                self._entries[number] = [thing, key, 0]
            self._entries[number][2] += 1
            return number

    def get(self, number: int) -> "Any":
        """The object, or None."""
        entry = self._entries.get(number)
        return None if entry is None else entry[0]

    def release(self, number: int, times: int) -> None:
        """Forgets an object that was sent so many times and is held no more."""
        with self._lock:
            entry = self._entries.get(number)
            if entry is None or number == 0:
                return
            entry[2] -= times
            if entry[2] <= 0:
                self._forget(number)

    def revoke(self, key: "Hashable") -> "Optional[int]":
        """Forgets an object whoever holds it. Its number, or None."""
        with self._lock:
            number = self._numbers.get(key)
            if number is not None:
                self._forget(number)
            return number

    def _forget(self, number: int) -> None:
        entry = self._entries.pop(number)
        self._numbers.pop(entry[1], None)

    def __len__(self) -> int:
        return len(self._entries)


class Area:
    """Two files of AREA bytes: one that we write and the other side reads, and
    one the other way round. What was put is freed when the other side says that
    it has its own copy."""

    def __init__(self, read_fd: int, write_fd: int):
        self._read, self._write = read_fd, write_fd
        self._lock = RLock()  # a finalizer may come in between
        self._free = [(0, AREA)]  # (start, end), sorted
        self._used: Dict[int, int] = {}  # start: end

    def put(self, data: "Any") -> "Tuple[int, int]":
        """Writes bytes and returns their (offset, length). Gone after close()."""
        view = memoryview(data).cast("B")
        start = self._take(len(view))
        done = 0
        try:
            with self._lock:  # close() waits for it: then the number may be another file's
                if self._write < 0:
                    raise Gone
                while done < len(view):
                    done += os.pwrite(self._write, view[done:], start + done)
        except BaseException:
            self.free(start)
            raise
        return start, len(view)

    def _take(self, size: int) -> int:
        rounded = (size + 4095) & ~4095
        with self._lock:
            while True:
                free = self._free
                found = [i for i, (start, end) in enumerate(free) if end - start >= rounded][:1]
                if not found:
                    break
                start, end = free[found[0]]
                rest = [(start + rounded, end)] if end - start > rounded else []
                if self._commit(free, free[:found[0]] + rest + free[found[0] + 1:]):
                    self._used[start] = start + rounded
                    return start
        raise MemoryError("no room for %d bytes: text and bytes that are under way in one direction "
                          "have at most %d" % (size, AREA))

    def _commit(self, before: "List[Tuple[int, int]]", after: "List[Tuple[int, int]]") -> bool:
        """Takes a change over, unless a finalizer has made one in between."""
        if self._free is not before:
            return False
        self._free = after
        return True

    def free(self, start: int) -> None:
        """Makes room again; what was not put is ignored."""
        with self._lock:
            end = self._used.pop(start, None)
            while end is not None:
                free = self._free
                merged: List[Tuple[int, int]] = []
                for begin, stop in sorted(free + [(start, end)]):
                    if merged and merged[-1][1] == begin:
                        merged[-1] = (merged[-1][0], stop)
                    else:
                        merged.append((begin, stop))
                if self._commit(free, merged):
                    return

    def close(self) -> None:
        """Closes the files. Whoever reads must be done; whoever writes may be at it."""
        with self._lock:
            self.forget()

    def forget(self) -> None:
        """The same in a forked child, where the lock may be held by nobody."""
        fds, self._read, self._write = (self._read, self._write), -1, -1
        for fd in fds:
            if fd >= 0:
                os.close(fd)

    def get(self, offset: int, length: int) -> bytes:
        """A copy of what the other side put."""
        if offset + length > AREA:
            raise ValueError("a place lies outside of the area")
        parts = []
        while length:
            part = os.pread(self._read, min(length, 1 << 24), offset)
            if not part:
                raise ValueError("the area ends early")
            parts.append(part)
            offset += len(part)
            length -= len(part)
        return parts[0] if len(parts) == 1 else b"".join(parts)
