"""Holds connections at once: many.py ADDRESS COUNT"""

import socket
import sys

from kit import name

address, count = sys.argv[1], int(sys.argv[2])


def echo(connected):
    connected.sendall(b"hello")
    return connected.recv(10).decode()


held = []
for _ in range(count):
    try:
        held.append(socket.create_connection((address, 7), timeout=20))
    except OSError as error:
        print("refused:", name(error))
print("opened:", len(held))
print("echoes:", [echo(connected) for connected in held].count("hello"))
held.pop().close()
with socket.create_connection((address, 7), timeout=20) as one:
    print("after a close:", echo(one))
