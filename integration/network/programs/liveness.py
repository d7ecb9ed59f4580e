"""Makes calls beside others that never end: liveness.py SILENT ECHO DENIED

A process of its own floods the supervisor with calls. Threads connect to SILENT,
which never answers, and to a local listener whose queue is full, and send urgent data
through connections whose buffers are full. Prints for each kind of call how long one
of ten takes at least, in milliseconds, before there are the threads and beside them.
"""

import os
import signal
import socket
import sys
import threading
import time

silent, echo, denied = sys.argv[1:]
STALLED, FULL, CALLS = 40, 8, 100


def stall():
    try:
        socket.socket().connect((silent, 7))
    except OSError:
        pass


def queue(path):
    """Connects where nobody accepts; the fourth waits for room."""
    waiting = [socket.socket(socket.AF_UNIX) for _ in range(4)]
    for s in waiting:
        s.connect(path)


def push(sending):
    """Sends urgent data, which is trapped, until there is no room, and waits."""
    while True:
        sending.send(bytes(65536), socket.MSG_OOB)


def flood():
    while True:
        with socket.socket() as s:
            s.connect_ex((denied, 9))


def tenth_longest(call):
    times = []
    for _ in range(CALLS):
        begin = time.perf_counter()
        call()
        times.append(time.perf_counter() - begin)
    return sorted(times)[-CALLS // 10] * 1000


def refused():
    with socket.socket() as s:
        s.connect_ex((denied, 80))


def inside():
    with socket.socket() as s, socket.create_server(("127.0.0.1", 0)) as server:
        s.connect(server.getsockname())


def outside():
    with socket.socket() as s:
        s.connect((echo, 7))


os.chdir("/tmp")
flooding = os.fork()
if flooding == 0:
    flood()
local = socket.socket(socket.AF_UNIX)
local.bind("local")
local.listen(1)
deaf = socket.create_server(("127.0.0.1", 0))
pushing = [socket.create_connection(deaf.getsockname()) for _ in range(FULL)]
waits = [(stall,)] * STALLED + [(queue, "local")] * FULL + [(push, s) for s in pushing]
KINDS = refused, inside, outside
before = [tenth_longest(kind) for kind in KINDS]
for wait, *argument in waits:
    threading.Thread(target=wait, args=argument, daemon=True).start()
time.sleep(0.5)
for kind, took in zip(KINDS, before):
    print(f"{kind.__name__} {took:.2f} {tenth_longest(kind):.2f}", flush=True)
os.kill(flooding, signal.SIGKILL)
os._exit(0)
