"""A set-user-ID file left in a writable directory outlives the sandbox.

attacks: the modes of new and changed files
effect: the host sees a file with a set-id bit
refused: EPERM, ENOSYS, EOPNOTSUPP
topic: set-id bits
"""

import os
import struct

from kit import attempt, call, how, libc, syscall, target

AT_FDCWD = -100
FILE = (target["visible"] + "/file").encode()

os.umask(0)
for mode in (0o4755, 0o2755, 0o6777):
    NEW = ("%s/new%o" % (target["visible"], mode)).encode()
    with attempt():
        if how == "chmod":
            syscall(90, FILE, mode)
        elif how == "fchmod":
            syscall(91, os.open(FILE, os.O_RDONLY), mode)
        elif how == "fchmodat":
            syscall(268, AT_FDCWD, FILE, mode)
        elif how == "fchmodat2":
            syscall(452, AT_FDCWD, FILE, mode, 0)
        elif how == "open":
            syscall(2, NEW, os.O_CREAT | os.O_WRONLY, mode)
        elif how == "openat":
            syscall(257, AT_FDCWD, NEW, os.O_CREAT | os.O_WRONLY, mode)
        elif how == "openat2":
            syscall(437, AT_FDCWD, NEW, struct.pack("=QQQ", os.O_CREAT | os.O_WRONLY, mode, 0), 24)
        elif how == "temporary":
            fd = syscall(257, AT_FDCWD, target["visible"].encode(), 0o20200000 | os.O_WRONLY, mode)
            call(libc.linkat, AT_FDCWD, b"/proc/self/fd/%d" % fd, AT_FDCWD, NEW, 0x400)
        elif how == "creat":
            syscall(85, NEW, mode)
        elif how == "mknod":
            syscall(133, NEW, mode | 0o100000, 0)
        elif how == "mknodat":
            syscall(259, AT_FDCWD, NEW, mode | 0o100000, 0)
        elif how == "fifo":
            syscall(133, NEW, mode | 0o010000, 0)
