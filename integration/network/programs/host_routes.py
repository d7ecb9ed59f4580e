"""Tries to reach the host at addresses: host_routes.py tcp|udp PORT ADDRESS...

With "wait PORT" before the addresses it lets the test change the host's network
first: it connects to that port of the first address, and goes on with the next
line of its input.
"""

import socket
import sys

from kit import attempt

protocol, port, *addresses = sys.argv[1:]


def stream(address):
    with socket.create_connection((address, int(port)), timeout=20) as connected:
        return connected.recv(100).decode()


def datagram(address):
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as asking:
        asking.settimeout(20)
        asking.sendto(b"hello", (address, int(port)))
        return asking.recv(100).decode()


def unasked(address):
    """A connected socket is never told; what counts is what arrives."""
    kind = socket.AF_INET6 if ":" in address else socket.AF_INET
    with socket.socket(kind, socket.SOCK_DGRAM) as asking:
        asking.connect((address, int(port)))
        asking.send(b"hello")


if addresses[0] == "wait":
    _, ready, peer, *addresses = addresses
    socket.create_connection((peer, int(ready))).close()
    sys.stdin.readline()
for address in addresses:
    attempt(address, stream if protocol == "tcp" else datagram, address)
    if protocol == "udp":
        try:
            unasked(address)
        except OSError:
            pass
