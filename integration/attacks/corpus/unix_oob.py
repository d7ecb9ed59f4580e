"""Urgent data over AF_UNIX: little used, and often wrong in the kernel.

attacks: the flags of send and sendmsg
effect: the urgent byte arrives
refused: EOPNOTSUPP
topic: MSG_OOB except on TCP
"""

import socket

from kit import attempt, effect, how

a, b = socket.socketpair()
with attempt():
    if how == "send":
        a.send(b"x", socket.MSG_OOB)
    else:
        a.sendmsg([b"x"], [], socket.MSG_OOB)
    if b.recv(1, socket.MSG_OOB | socket.MSG_DONTWAIT) == b"x":
        effect("arrived")
