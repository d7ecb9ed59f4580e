"""Sends a datagram by a way around connect and sendto: door_datagrams.py HOW PORT"""

import socket
import struct
import sys

how, port = sys.argv[1], int(sys.argv[2])
PEER, GROUP = "203.0.113.80", "239.77.77.77"
socket.setdefaulttimeout(0.2)


def broadcast(to):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.SOL_SOCKET, socket.SO_BROADCAST, 1)
        s.connect((to, port))
        s.send(b"hello")


def multicast():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((GROUP, port))
        s.send(b"hello")


def mapped():
    with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as s:
        s.sendmsg([b"hello"], [], 0, (f"::ffff:{PEER}", port))


def source():
    """Names an interface and a source address of the datagram (ip(7))."""
    info = struct.pack("=i4s4s", 0, socket.inet_aton("203.0.113.1"), bytes(4))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.sendmsg([b"hello"], [(socket.IPPROTO_IP, 8, info)], 0, (PEER, port))


def options():
    """Routes a datagram to an allowed address by way of the other (RFC 791)."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.setsockopt(socket.IPPROTO_IP, 4, bytes([131, 7, 4]) + socket.inet_aton(PEER) + b"\0")
        s.sendmsg([b"hello"], [], 0, (PEER, port))


def dissolved():
    """Reconnects a socket that is connected to an allowed address."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.connect((PEER, 7))
        s.send(b"allowed")
        s.connect((PEER, port))
        s.send(b"hello")


def bound():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        s.bind(("203.0.113.1", 0))
        s.connect((PEER, port))
        s.send(b"hello")


WAYS = {
    "broadcast": lambda: broadcast("203.0.113.255"), "everywhere": lambda: broadcast("255.255.255.255"),
    "multicast": multicast, "mapped": mapped, "source": source, "options": options,
    "dissolved": dissolved, "bound": bound,
}
try:
    WAYS[how]()
except OSError as error:
    print("refused:", error, file=sys.stderr)
print("done")
