"""A socket of the host's network is made to listen on the host.

attacks: bind and listen on a handed-over connection
effect: a server outside connects to the port of the host
refused: EACCES, EINVAL, EADDRNOTAVAIL, EOPNOTSUPP, EISCONN, ENOTCONN
topic: other doors to TCP, accepting inbound and SO_REUSEPORT
"""

import socket

from kit import attempt, call, how, libc, ready, target

s = socket.socket()
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
if how == "bound":
    with attempt():
        s.bind(("0.0.0.0", target["listen"]))
if how != "fresh":
    with attempt():
        s.connect((target["allowed"], 80))
    with attempt():
        call(libc.connect, s.fileno(), bytes(16), 16)
with attempt():
    s.bind(("0.0.0.0", target["listen"]))
with attempt():
    s.listen()
ready()
