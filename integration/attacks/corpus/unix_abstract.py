"""A server of the host's on an abstract name, which no file system guards.

attacks: the network namespace, which has the names, and Landlock's scope
effect: the server accepts, or receives a datagram
refused: ECONNREFUSED, EACCES, EPERM
topic: AF_UNIX, abstract
"""

import socket

from kit import attempt, how, target

kind = socket.SOCK_DGRAM if "datagram" in how else socket.SOCK_STREAM
with attempt(), socket.socket(socket.AF_UNIX, kind) as s:
    if how == "datagram":
        s.sendto(b"hello", "\0" + target["path"])
    else:
        s.connect("\0" + target["path"])
