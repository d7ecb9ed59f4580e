"""A standard file is opened again with more rights than it was given with.

attacks: standard input, output and error that are files of the host's
effect: what was in the file is gone or written over, or the canary accepts a connection
refused: EACCES, EPERM, ENXIO, ESPIPE, EINVAL, ENOTDIR, EROFS, ENOENT, EBADF, ETXTBSY, ENOTSOCK
topic: stdio
"""

import os
import socket

from kit import address, attempt, call, how, libc

number = {"stdin": 0, "stdout": 1, "stderr": 2, "socket": 0}[how.split()[0]]
if how == "socket":
    with attempt():
        s = socket.socket(fileno=os.dup(0))
        call(libc.connect, s.fileno(), bytes(16), 16)
        s.connect(address())
else:
    for path in ["/proc/self/fd/%d" % number, "/dev/" + how.split()[0], "/dev/fd/%d" % number,
                 "/proc/thread-self/fd/%d" % number, "/proc/self/task/%d/fd/%d" % (os.getpid(), number)]:
        for flags in [os.O_WRONLY, os.O_RDWR, os.O_RDWR | os.O_TRUNC]:
            with attempt():
                os.pwrite(os.open(path, flags), b"gone", 0)
        with attempt():
            os.truncate(path, 0)
    with attempt():
        os.ftruncate(number, 0)
