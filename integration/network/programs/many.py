"""Holds connections at once: many.py ADDRESS COUNT"""

import errno
import socket
import sys
import time

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
until = time.monotonic() + 60
while True:
    try:
        with socket.create_connection((address, 7), timeout=20) as one:
            print("after a close:", echo(one))
        break
    except OSError as error:  # it counts until the other side knows of its end
        if error.errno != errno.ENOBUFS or time.monotonic() > until:
            raise
        time.sleep(0.05)
