"""Sends datagrams that may not go: udp_denied.py ADDRESS PORT

Nothing answers there; the test counts what arrives. Prints the end of each call.
"""

import socket
import sys

from kit import attempt

target = sys.argv[1], int(sys.argv[2])
family = socket.AF_INET6 if ":" in target[0] else socket.AF_INET


def datagram():
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(0.2)
    return made


def by_connect():
    with datagram() as asking:
        asking.connect(target)
        for _ in range(3):
            try:
                asking.send(b"hello")
            except ConnectionRefusedError:
                pass


def by_message():
    with datagram() as asking:
        asking.sendmsg([b"hello"], [], 0, target)


def by_control():
    """Names another source of the datagram (ip(7), IP_PKTINFO)."""
    with datagram() as asking:
        asking.sendmsg([b"hello"], [(socket.IPPROTO_IP, 8, bytes(12))], 0, target)


with datagram() as plain:
    attempt("sendto", plain.sendto, b"hello", target)
for label, send in ("connect", by_connect), ("sendmsg", by_message), ("control", by_control):
    try:
        send()
    except OSError:
        pass  # the kernel may know no route; what counts is what arrives
print("done")
