"""Measures calls from where the guest stands.

Reads names of measures from standard input, one a line, and answers each with
its samples as one line of JSON: nanoseconds, but for throughput, which is in
bits per second. One answer takes some ten milliseconds, so that contenders can
take turns faster than the machine changes. The peer is the bench's own server.
"""

import json
import os
import socket
import struct
import sys
import threading
from time import perf_counter_ns as now, sleep

PEER = "203.0.113.80"
QUIET = "203.0.113.81"  # takes connects without waking up for each
NOBODY = "203.0.113.99"  # never answers
NAME = "peer.bench.example"
WARMUP = 5


def timed(count, act, prepare=lambda: None, finish=lambda argument: None):
    """Samples of act(prepare()), without the first ones."""
    samples = []
    for i in range(WARMUP + count):
        argument = prepare()
        begin = now()
        act(argument)
        elapsed = now() - begin
        if i >= WARMUP:
            samples.append(elapsed)
        finish(argument)
    return samples


def untrapped_call():
    getppid, count = os.getppid, 10000
    samples = []
    for _ in range(5):
        begin = now()
        for _ in range(count):
            getppid()
        samples.append((now() - begin) / count)
    return samples


def trapped_call():
    with tcp() as sock:
        return timed(200, lambda _: sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR))


def denied_connect():
    with tcp() as sock:
        return timed(200, lambda _: refused(sock, (PEER, 8080)))


def refused(sock, address):
    try:
        sock.connect(address)
    except PermissionError:
        return
    raise SystemExit(f"connect to {address} was not refused")


def allowed_connect():
    return timed(40, lambda sock: sock.connect((QUIET, 80)), tcp, socket.socket.close)


def crowded_connect():
    crowd = [os.open("/dev/null", os.O_RDONLY) for _ in range(600)]
    try:
        return allowed_connect()
    finally:
        for fd in crowd:
            os.close(fd)


def stalled_connect():
    """Denied connects beside fifty that wait for an address that does not exist."""
    if threading.active_count() == 1:
        for _ in range(50):
            threading.Thread(target=wait_in_vain, daemon=True).start()
        sleep(0.1)
    return denied_connect()


def wait_in_vain():
    while True:
        with tcp() as sock:
            try:
                sock.connect((NOBODY, 80))
            except OSError:
                pass


def in_flight():
    """The time of 5000 connects that asyncio begins at once."""
    import asyncio

    async def connect_all():
        loop = asyncio.get_running_loop()
        begin = now()
        await asyncio.gather(*(loop.sock_connect(sock, (PEER, 80)) for sock in socks))
        return now() - begin

    socks = [tcp() for _ in range(5000)]
    for sock in socks:
        sock.setblocking(False)
        # Reset at the end: the next run needs the ports.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    try:
        return [asyncio.run(connect_all())]
    finally:
        for sock in socks:
            sock.close()


def datagram_round_trip():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(5)
        sock.connect((PEER, 7))
        message = bytes(64)

        def act(_):
            sock.send(message)
            sock.recv(64)

        return timed(100, act)


def loopback_connect():
    def act(client):
        with tcp() as server:
            server.bind(("127.0.0.1", 0))
            server.listen(1)
            client.connect(server.getsockname())

    return timed(40, act, tcp, socket.socket.close)


def name_lookup():
    return timed(40, lambda _: socket.getaddrinfo(NAME, 80, socket.AF_INET, socket.SOCK_STREAM))


def round_trip():
    with tcp() as sock:
        sock.connect((PEER, 80))
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.sendall(b"e")
        message = bytes(64)

        def act(_):
            sock.sendall(message)
            sock.recv(64, socket.MSG_WAITALL)

        return timed(200, act)


def throughput():
    chunk, chunks = bytes(1 << 18), 512
    with tcp() as sock:
        sock.connect((PEER, 80))
        sock.sendall(b"s")
        begin = now()
        for _ in range(chunks):
            sock.sendall(chunk)
        sock.shutdown(socket.SHUT_WR)
        sock.recv(1)  # the peer has read it all
        return [8e9 * len(chunk) * chunks / (now() - begin)]


def computation():
    samples = []
    for _ in range(3):
        begin = now()
        total = 0
        for i in range(300_000):
            total += i * i
        samples.append(now() - begin)
    return samples


def tcp():
    return socket.socket(socket.AF_INET, socket.SOCK_STREAM)


def main():
    for line in sys.stdin:
        print(json.dumps(globals()[line.strip()]()), flush=True)


main()
