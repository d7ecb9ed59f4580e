"""Files of a live guest. The guest itself reads and writes them, under its own
rights: whatever its symlinks say, they lead to what it sees.
"""
from __future__ import annotations

import os

from . import files
from .errors import RunError
from .typed import BYTES, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union

    Path = Union[str, os.PathLike[str]]

MOST_FILES = 1 << 18  # of one list


def _name(path: Path) -> Union[str, bytes]:
    """A path as it crosses: a name that is no UTF-8, which list_files may tell of, as
    bytes."""
    name = os.fspath(path)
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name)
    return name


class GuestFiles:
    """What Sandbox does with files of its guest."""

    def _request(
            self, method: str, args: List[Any], timeout: Optional[float] = None) -> Any:
        raise NotImplementedError

    def write_file(self, path: Path, data: bytes, mode: int = 0o644, *,
                   timeout: Optional[float] = None) -> None:
        """Writes a regular file inside; the guest writes it, under its own rights. A
        relative path is relative to the directory in which the guest is at that time:
        Sandbox's cwd, unless it has changed it. Directories are not made.
        GuestError for a FIFO, a device or what else it may find there."""
        check(data=(data, BYTES), mode=(mode, int))
        self._request("write", [_name(path), data, mode], timeout)

    def read_file(self, path: Path, limit: int = files.LIMIT, *, timeout: Optional[float] = None) -> bytes:
        """The content of a regular file inside, at most limit bytes (a longer one is a
        GuestError); a relative path is as in write_file. The guest reads it, so
        whatever its symlinks say, it is a file of the guest's own."""
        check(limit=(limit, int))
        data = self._request("read", [_name(path), limit], timeout)
        if not isinstance(data, bytes) or len(data) > limit:
            raise RunError("the guest did not send a file of at most %d bytes" % limit)
        return data

    def copy_in(self, source: Path, path: Path, *,
                timeout: Optional[float] = None) -> None:
        """Copies a file of the host's into the sandbox, as write_file does, not its
        mode. source is relative to the host's working directory, path as in write_file
        to the guest's."""
        with open(source, "rb") as file:
            self.write_file(path, file.read(), timeout=timeout)

    def copy_out(self, path: Path, target: Path, limit: int = files.LIMIT, *,
                 timeout: Optional[float] = None) -> None:
        """Copies a file out of the sandbox, as read_file does: path is relative to the
        guest's directory, target to the host's working directory. The target is replaced,
        never followed if it is a symlink, and only its owner may read it."""
        files.replace(os.fspath(target), self.read_file(path, limit, timeout=timeout))

    def list_files(self, top: Path, *, timeout: Optional[float] = None) -> Dict[str, int]:
        """The regular files below a directory inside, as relative paths and sizes:
        the guest's word. top is relative to the guest's directory, the paths are to
        top. Names that lead out of top are left out. RunError for more than 262,144."""
        text = self._request("list", [_name(top)], timeout)
        if not isinstance(text, bytes):
            raise RunError("the guest did not send a list of files")
        words = text.split(b"\0", 2 * MOST_FILES)  # a guest's text may have many millions
        if len(words) > 2 * MOST_FILES and words[-1]:
            raise RunError("the guest has sent a list of more than %d files; "
                           "list what is below, one by one" % MOST_FILES)
        return {os.fsdecode(name): int(size) for name, size in zip(words[::2], words[1::2])
                if files.is_below(os.fsdecode(name)) and size.isdigit() and len(size) < 20}
