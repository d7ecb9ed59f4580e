"""The kernel looks at the low half of an int argument, a filter may look at both.

attacks: comparisons of whole registers
effect: a netlink or MPTCP socket, or a connection by MSG_FASTOPEN
refused: EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP, EACCES, EPERM, ENOTTY
topic: ABI, high bits of arguments
"""

import os
import socket

from kit import address, attempt, effect, how, sockaddr, syscall

HIGH = 0x5a5a5a5a00000000
SOCKET, CONNECT, SENDTO, CLONE = 41, 42, 44, 56
NEWUSER, SIGCHLD = 0x10000000, 17

name = sockaddr(*address())
with attempt(), socket.socket() as s:
    if how == "netlink":
        effect(syscall(SOCKET, HIGH | 16, HIGH | 3, HIGH))
    elif how == "mptcp":
        effect(syscall(SOCKET, HIGH | 2, HIGH | 1, HIGH | 262))
    elif how == "sendto":
        syscall(SENDTO, HIGH | s.fileno(), b"hello", 5, HIGH | 0x20000000, name, HIGH | len(name))
        effect("connected")
    elif how == "connect":
        syscall(CONNECT, HIGH | s.fileno(), name, HIGH | len(name))
        effect("connected")
    elif how == "clone":
        if syscall(CLONE, HIGH | NEWUSER | SIGCHLD, 0, 0, 0, 0) == 0:
            effect(os.readlink("/proc/self/ns/user"))
            os._exit(0)
        os.wait()
