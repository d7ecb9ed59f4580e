"""The supervisor is killed while the guest makes calls that wait for it.

attacks: what happens to calls that nobody answers any more
effect: the canary outside accepts a connection
topic: supervisor as target, killed
"""

import socket
import threading

from kit import address, attempt, call, libc, say, sockaddr, syscall

NAME = sockaddr(*address())
MSG_FASTOPEN = 0x20000000


def connect():
    while True:
        with attempt(), socket.socket() as s:
            call(libc.connect, s.fileno(), NAME, len(NAME))


def other_ways():
    while True:
        with attempt(), socket.socket() as s:
            s.sendto(b"hello", MSG_FASTOPEN, address())
        with attempt():
            syscall(425, 4, bytes(120))


for work in (connect, connect, other_ways):
    threading.Thread(target=work, daemon=True).start()
say("ready")
threading.Event().wait(600)
