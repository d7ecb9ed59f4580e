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
DEEP = 100  # directories within each other that are walked
NAMES = 64 << 20  # characters of the paths that a walk finds

# No symlink, and nothing that an open might wait for.
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


def is_below(name: str) -> bool:
    """Whether a relative path stays where it begins and is clean."""
    parts = name.split("/")
    return bool(name) and "\0" not in name and not any(part in ("", ".", "..") for part in parts)


def _open_parent(top: str, name: str, make: bool) -> Tuple[int, str]:
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
            below = os.open(part, _DIRECTORY, dir_fd=at)
            os.close(at)
            at = below
    except BaseException:
        os.close(at)
        raise
    return at, last


def read_below(top: str, name: str, limit: int = LIMIT) -> bytes:
    """The content of a regular file below a directory, at most limit bytes. OSError
    for a symlink on the way (ELOOP, ENOTDIR), ViolationError for what is no
    regular file."""
    parent, last = _open_parent(top, name, False)
    try:
        fd = os.open(last, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=parent)
    finally:
        os.close(parent)
    if not stat.S_ISREG(os.fstat(fd).st_mode):  # fdopen() keeps none that it refuses, nor closes it
        os.close(fd)
        raise ViolationError("%s is not a regular file" % name)
    with os.fdopen(fd, "rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ViolationError("%s has more than %d bytes" % (name, limit))
    return data


def write_below(top: str, name: str, data: bytes) -> None:
    """Puts a file below a directory, making the directories on the way. What was
    there under that name is replaced, never followed. The file is the caller's, who
    alone may read it: of root's a guest reads nothing, as it runs as another user."""
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
    new = ".%s.%s" % (os.fsdecode(os.fsencode(name)[:200]), os.urandom(6).hex())
    fd = os.open(
        new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600, dir_fd=parent)
    try:
        with os.fdopen(fd, "wb") as file:
            file.write(data)
        os.replace(new, name, src_dir_fd=parent, dst_dir_fd=parent)
    except BaseException:
        os.unlink(new, dir_fd=parent)
        raise


def walk_below(top: str) -> Iterator[str]:
    """The regular files below a directory, as relative paths, sorted. What goes away
    meanwhile is left out. ViolationError for more than 100 directories within each
    other, or 64 MiB of paths."""
    found: List[str] = []
    _walk(os.open(top, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC), "", 0, found, NAMES)
    return iter(sorted(found))


def _walk(at: int, path: str, depth: int, found: List[str], room: int) -> int:
    """Adds the files below the directory at, which it closes. How much room for paths is
    left then."""
    below = []
    try:
        if depth > DEEP:
            raise ViolationError("there are more than %d directories within each other: %s..." % (
                DEEP, path[:100]))
        with os.scandir(at) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    below.append(entry.name)
                elif entry.is_file(follow_symlinks=False):
                    found.append(path + entry.name)
                room -= len(path) + len(entry.name)
                if room < 0:
                    raise ViolationError("the paths below have more than %d characters" % NAMES)
        for name in below:
            try:
                fd = os.open(name, _DIRECTORY, dir_fd=at)
            except (FileNotFoundError, NotADirectoryError, PermissionError):
                continue  # it is gone, or no directory any more, or a guest's alone
            room = _walk(fd, path + name + "/", depth + 1, found, room)
        return room
    finally:
        os.close(at)
