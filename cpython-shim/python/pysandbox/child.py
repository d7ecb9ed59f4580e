"""Starts the binary and waits for it. subprocess, which would do it too, takes
longer to import than a sandbox takes to start.
"""
from __future__ import annotations

import _signal  # signal makes enumerations of the same numbers
import os
from _thread import allocate_lock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Optional, Sequence


class Child:
    """A process of ours. fds are the descriptors that it gets: number inside to
    number here. It inherits no other one."""

    def __init__(self, command: Sequence[str], fds: Dict[int, int]):
        actions: list[tuple[int, ...]] = []
        # Numbers that are free on both sides come between the two, so that no
        # dup2 closes what a later one needs (dup2(2)).
        free = max([*fds, *fds.values()]) + 1
        for at, (number, fd) in enumerate(fds.items()):
            actions.append((os.POSIX_SPAWN_DUP2, fd, free + at))
        for at, number in enumerate(fds):
            actions.append((os.POSIX_SPAWN_DUP2, free + at, number))
            actions.append((os.POSIX_SPAWN_CLOSE, free + at))
        actions += [(os.POSIX_SPAWN_CLOSE, fd) for fd in _inheritable() if fd not in fds]
        # Python ignores these two, and a child would go on to.
        self._pid = os.posix_spawn(
            command[0], list(command), os.environ, file_actions=actions,
            setsigdef=(_signal.SIGPIPE, _signal.SIGXFSZ))
        self._owner = os.getpid()
        self._lock = allocate_lock()
        self._ended = False

    def send(self, number: int) -> None:
        """Sends a signal, if the process is there to get it, and ours."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            if not self._ended:
                try:
                    os.kill(self._pid, number)
                except OSError:
                    pass  # it is another user's by then, and ends with its guest

    def kill(self) -> None:
        self.send(_signal.SIGKILL)

    def wait(self) -> Optional[int]:
        """Blocks until it has ended, for one thread only. Its exit status, negative
        for a signal, or None if another part of the host has taken it."""
        try:
            os.waitid(os.P_PID, self._pid, os.WEXITED | os.WNOWAIT)
        except ChildProcessError:
            pass
        with self._lock:  # from here on the number may be another process's
            self._ended = True
            try:
                return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])
            except ChildProcessError:
                return None


def _inheritable() -> list[int]:
    """Our descriptors above 2 that a child would inherit."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        try:
            if int(name) > 2 and os.get_inheritable(int(name)):
                found.append(int(name))
        except OSError:
            pass  # that of the listing itself
    return found
