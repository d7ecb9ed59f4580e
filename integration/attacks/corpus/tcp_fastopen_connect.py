"""TCP_FASTOPEN_CONNECT defers the handshake of connect(2) to the first send.

attacks: the trap on connect, and the list of socket options
effect: the canary outside accepts a connection
refused: ENOPROTOOPT, EACCES
topic: other doors to TCP
"""

import socket

from kit import address, attempt

TCP_FASTOPEN_CONNECT = 30

with socket.socket() as s:
    with attempt():
        s.setsockopt(socket.IPPROTO_TCP, TCP_FASTOPEN_CONNECT, 1)
    with attempt():
        s.connect(address())
        s.send(b"hello")
