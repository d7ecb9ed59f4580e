"""Files of a live guest. The guest itself reads and writes them, under its own
rights: whatever its symlinks say, they lead to what it sees.
"""
from __future__ import annotations

import os

from . import files
from .errors import RunError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Optional, Union


class GuestFiles:
    """What Sandbox does with files of its guest."""

    def _request(
            self, method: str, args: "List[Any]", timeout: "Optional[float]" = None, **kwargs: Any) -> Any:
        raise NotImplementedError

    def write_file(self, path: str, data: bytes, mode: int = 0o644) -> None:
        """Writes a file inside; the guest writes it, under its own rights."""
        self._request("write", [path, data, mode])

    def read_file(self, path: str, limit: int = files.LIMIT) -> bytes:
        """The content of a file inside, at most limit bytes. The guest reads it, so
        whatever its symlinks say, it is a file of the guest's own."""
        data = self._request("read", [path, limit])
        if not isinstance(data, bytes) or len(data) > limit:
            raise RunError("the guest did not send a file of at most %d bytes" % limit)
        return data

    def copy_in(self, source: "Union[str, os.PathLike[str]]", path: str) -> None:
        """Copies a file of the host's into the sandbox."""
        with open(source, "rb") as file:
            self.write_file(path, file.read())

    def copy_out(self, path: str, target: "Union[str, os.PathLike[str]]", limit: int = files.LIMIT) -> None:
        """Copies a file out of the sandbox. The target is replaced, never followed
        if it is a symlink."""
        files.replace(os.fspath(target), self.read_file(path, limit))

    def list_files(self, top: str) -> "Dict[str, int]":
        """The regular files below a directory inside, as relative paths and sizes:
        the guest's word. Names that lead out of top are left out."""
        found = self._request("list", [top])
        if not isinstance(found, dict):
            raise RunError("the guest did not send a list of files")
        return {name: size for name, size in found.items() if files.is_below(name) and type(size) is int}
