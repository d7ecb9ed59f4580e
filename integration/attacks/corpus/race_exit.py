"""Processes and threads end while their calls wait for the supervisor.

attacks: identifiers of callers that are gone, or are used again
effect: the canary accepts a connection, or the supervisor fails
refused: EACCES
topic: notify races, exit and reuse of ids
"""

import os
import random
import socket
import threading
import time

from kit import address, attempt, libc, say, sockaddr, target

NAMES = [sockaddr(target["allowed"], 80), sockaddr(*address())]


def connect_for_ever(name):
    while True:
        with socket.socket() as s:
            libc.connect(s.fileno(), name, len(name))


def child():
    for name in NAMES * 2:
        threading.Thread(target=connect_for_ever, args=(name,), daemon=True).start()
    time.sleep(random.random() / 100)
    os._exit(0)


deadline = time.monotonic() + target["seconds"]
for _ in range(target["children"]):
    pid = os.fork()
    if pid == 0:
        child()
    if random.random() < 0.3:
        time.sleep(0.003)
        os.kill(pid, 9)
    os.waitpid(pid, 0)
    if time.monotonic() > deadline:
        break
with attempt(), socket.socket() as s:
    s.connect(address())
with socket.socket() as s:
    s.connect((target["allowed"], 80))
    say("alive")
