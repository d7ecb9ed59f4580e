"""SO_REUSEPORT takes connections that are meant for another server of the host.

The kernel shares a port between sockets of one user that all ask for it. The
supervisor's host sockets are of the user that started it.

attacks: bind and listen on a host socket, and the option before it is one
effect: a server of the host no longer gets every connection
refused: EACCES, EINVAL, EADDRNOTAVAIL, EOPNOTSUPP, EISCONN, ECONNREFUSED, ENOTCONN
topic: other doors to TCP, SO_REUSEPORT theft of a host port
"""

import socket

from kit import attempt, call, how, libc, ready, target

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
if how != "fresh":
    with attempt():
        s.connect((target["allowed" if how == "used" else "closed"], 80))
    with attempt():
        call(libc.connect, s.fileno(), bytes(16), 16)  # AF_UNSPEC
with attempt():
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
with attempt():
    s.bind((target["host"], target["port"]))
with attempt():
    s.listen()
ready()
