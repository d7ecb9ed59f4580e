"""Clears O_NONBLOCK of a socket at every moment while the supervisor connects it to
a queue that is full."""

import fcntl
import os
import socket
import struct
import threading
import time

listener = socket.socket(socket.AF_UNIX)
listener.bind("\0full")
listener.listen(0)
fill = [socket.socket(socket.AF_UNIX) for _ in range(3)]
for sock in fill:
    sock.setblocking(False)
    sock.connect_ex("\0full")
shared = socket.socket(socket.AF_UNIX)
others = 0


def wait():
    while True:
        shared.connect_ex("\0full")
        time.sleep(0.001)


def another():
    """Counts the calls of a thread that waits 30 ms for each."""
    global others
    sock = socket.socket(socket.AF_UNIX)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 30000))
    while True:
        sock.connect_ex("\0full")
        others += 1


for _ in range(50):
    threading.Thread(target=wait, daemon=True).start()
threading.Thread(target=another, daemon=True).start()
time.sleep(0.5)
for _ in range(40):
    burst = time.monotonic() + 0.03
    while time.monotonic() < burst:
        for _ in range(100):
            fcntl.fcntl(shared, fcntl.F_SETFL, os.O_RDWR | os.O_NONBLOCK)
            fcntl.fcntl(shared, fcntl.F_SETFL, os.O_RDWR)
    seen, patience = others, time.monotonic() + 20
    while others == seen and time.monotonic() < patience:
        time.sleep(0.01)
    if others == seen:
        print("all stand still", flush=True)
        break
else:
    print("others go on", flush=True)
os._exit(0)  # not even waiting for the threads
