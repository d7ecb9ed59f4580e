"""Many connections hold much memory of the kernel that no group counts.

attacks: the limit on connections
effect: more of them than the limit
refused: ENOBUFS
topic: memory of host sockets
"""

import socket

from kit import attempt, effect, target

held = []
with attempt():
    for _ in range(20):
        s = socket.socket()
        held.append(s)
        s.connect((target["allowed"], 80))
    effect(len(held))
