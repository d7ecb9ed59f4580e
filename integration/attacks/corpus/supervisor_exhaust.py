"""The supervisor runs out of descriptors and can hand over no more connections.

attacks: the broker where a call of its own fails
effect: the canary outside accepts a connection
refused: EMFILE, ENFILE, ECONNREFUSED, EACCES, ENOBUFS, EAGAIN, ENOMEM, EBADF, EISCONN
topic: supervisor as target, exhaustion
"""

import socket

from kit import address, attempt, say, target

spare = [socket.socket() for _ in range(5)]
held = [socket.socket() for _ in range(target["connections"])]
for s in held:
    with attempt():
        s.bind(("", 0))  # a bound socket is kept by the supervisor when it is replaced
        s.connect((target["allowed"], 80))
for s in spare + held[-5:]:
    with attempt():
        s.connect(address())
say("done")
