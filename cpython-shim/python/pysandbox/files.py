"""Files of the host's in trees that a guest may have written to. No symlink in
such a tree is followed: each part of a path is opened from the one before it.
"""
from __future__ import annotations

import os
import stat

from .errors import ViolationError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Iterator, List, Tuple

LIMIT = 32 << 20  # bytes of one file, unless told


def is_below(name: str) -> bool:
    """Whether a relative path stays where it begins and is clean."""
    parts = name.split("/")
    return bool(name) and "\0" not in name and not any(part in ("", ".", "..") for part in parts)


def _open_parent(top: str, name: str, make: bool) -> "Tuple[int, str]":
    if not is_below(name):
        raise ViolationError("%r is no path below %s" % (name, top))
    *parents, last = name.split("/")
    at = os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parents:
            if make:
                try:
                    os.mkdir(part, 0o700, dir_fd=at)
                except FileExistsError:
                    pass
            below = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=at)
            os.close(at)
            at = below
    except BaseException:
        os.close(at)
        raise
    return at, last


def read_below(top: str, name: str, limit: int = LIMIT) -> bytes:
    """The content of a regular file below a directory, at most limit bytes. OSError
    for a symlink on the way (ELOOP, ENOTDIR), ViolationError for a device or FIFO."""
    parent, last = _open_parent(top, name, False)
    try:
        fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    finally:
        os.close(parent)
    with os.fdopen(fd, "rb") as file:
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            raise ViolationError("%s is not a regular file" % name)
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ViolationError("%s has more than %d bytes" % (name, limit))
    return data


def write_below(top: str, name: str, data: bytes) -> None:
    """Puts a file below a directory, making the directories on the way. What was
    there under that name is replaced, never followed."""
    parent, last = _open_parent(top, name, True)
    try:
        _replace(parent, last, data)
    finally:
        os.close(parent)


def replace(path: str, data: bytes) -> None:
    """Writes a file of the host's so that it is there whole or not at all."""
    directory, name = os.path.split(os.path.abspath(path))
    parent = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        _replace(parent, name, data)
    finally:
        os.close(parent)


def _replace(parent: int, name: str, data: bytes) -> None:
    new = ".%s.%s" % (name[:200], os.urandom(6).hex())
    fd = os.open(
        new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        os.replace(new, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        os.unlink(new, dir_fd=parent)
        raise


def walk_below(top: str) -> "Iterator[str]":
    """The regular files below a directory, as relative paths, sorted."""
    found: "List[str]" = []
    for directory, _, names, at in os.fwalk(top, follow_symlinks=False):
        for name in names:
            if stat.S_ISREG(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode):
                found.append(os.path.relpath(os.path.join(directory, name), top))
    return iter(sorted(found))
