"""Ways to change a directory that the policy only lets be read.

attacks: read-only mounts, and Landlock
effect: the directory on the host is not as it was
refused: EROFS, EACCES, EPERM, EXDEV, EOPNOTSUPP, ENOSYS
topic: files, read-only binds
"""

import mmap
import os

from kit import attempt, call, how, libc, syscall, target

DIRECTORY = target["visible"]
FILE = DIRECTORY + "/file"


def reopen():
    """A descriptor for reading is opened again for writing."""
    fd = os.open(FILE, os.O_RDONLY)
    os.write(os.open("/proc/self/fd/%d" % fd, os.O_RDWR), b"changed")


def path_only():
    fd = os.open(FILE, os.O_PATH)
    os.truncate("/proc/self/fd/%d" % fd, 0)


def mapped():
    fd = os.open(FILE, os.O_RDWR)
    mmap.mmap(fd, 4).write(b"xxxx")


def remount():
    with attempt():
        call(libc.mount, None, DIRECTORY.encode(), None, 4096 | 32, None)
    os.unlink(FILE)


CALLS = {
    "create": lambda: open(DIRECTORY + "/new", "w"),
    "append": lambda: open(FILE, "a").write("x"),
    "truncate": lambda: os.truncate(FILE, 0),
    "truncate on open": lambda: os.open(FILE, os.O_RDONLY | os.O_TRUNC),
    "rename": lambda: os.rename(FILE, DIRECTORY + "/renamed"),
    "unlink": lambda: os.unlink(FILE),
    "mkdir": lambda: os.mkdir(DIRECTORY + "/new"),
    "mkfifo": lambda: os.mkfifo(DIRECTORY + "/new"),
    "chmod": lambda: os.chmod(FILE, 0o777),
    "fchmod": lambda: os.fchmod(os.open(FILE, os.O_RDONLY), 0o777),
    "times": lambda: os.utime(FILE, (1, 1)),
    "attribute": lambda: os.setxattr(FILE, "user.attack", b"x"),
    "link": lambda: os.link(FILE, DIRECTORY + "/new"),
    "symlink": lambda: os.symlink("x", DIRECTORY + "/new"),
    "socket": lambda: __import__("socket").socket(1).bind(DIRECTORY + "/new"),
    "reopen": reopen,
    "path only": path_only,
    "mapped": mapped,
    "remount": remount,
    "exchange": lambda: syscall(316, -100, FILE.encode(), -100, (DIRECTORY + "/other").encode(), 2),
    "copy_file_range": lambda: os.write(os.open(FILE, os.O_WRONLY), b"x"),
}

os.umask(0)
with attempt():
    CALLS[how]()
