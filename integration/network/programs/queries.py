"""Asks the name server of resolv.conf by hand-made packets: queries.py KIND NAME...

KIND is a, aaaa, txt, mx, any; for each name the code and the addresses of the
answer are printed, by UDP and by TCP.
"""

import random
import socket
import struct
import sys

TYPES = {"a": 1, "mx": 15, "txt": 16, "aaaa": 28, "any": 255, "https": 65, "ptr": 12}


def server():
    with open("/etc/resolv.conf", encoding="ascii") as lines:
        for line in lines:
            if line.startswith("nameserver"):
                return line.split()[1]
    raise SystemExit("no server")


def question(identity, host, kind):
    labels = b"".join(bytes([len(part)]) + part.encode() for part in host.split("."))
    return struct.pack("!6H", identity, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", kind, 1)


def skip_name(packet, at):
    while packet[at]:
        if packet[at] >= 0xC0:
            return at + 2
        at += packet[at] + 1
    return at + 1


def read(packet, identity):
    """The code of an answer and its addresses."""
    got, flags, questions, answers = struct.unpack("!4H", packet[:8])
    assert got == identity and flags & 0x8000, "not the answer"
    at = 12
    for _ in range(questions):
        at = skip_name(packet, at) + 4
    found = []
    for _ in range(answers):
        at = skip_name(packet, at)
        kind, _, _, size = struct.unpack("!HHIH", packet[at:at + 10])
        data = packet[at + 10:at + 10 + size]
        at += 10 + size
        if kind in (1, 28):
            found.append(socket.inet_ntop(socket.AF_INET if kind == 1 else socket.AF_INET6, data))
    return flags & 15, found


def by_udp(host, kind):
    identity = random.randrange(65536)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(10)
        asking.sendto(question(identity, host, kind), (server(), 53))
        packet, sender = asking.recvfrom(4096)
        assert sender == (server(), 53), sender
        return read(packet, identity)


def by_tcp(host, kind):
    identity = random.randrange(65536)
    query = question(identity, host, kind)
    with socket.create_connection((server(), 53), timeout=10) as asking:
        asking.sendall(struct.pack("!H", len(query)) + query)
        stream = asking.makefile("rb")
        size, = struct.unpack("!H", stream.read(2))
        return read(stream.read(size), identity)


wanted = TYPES[sys.argv[1]]
for name in sys.argv[2:]:
    for label, ask in ("udp", by_udp), ("tcp", by_tcp):
        code, addresses = ask(name, wanted)
        print(label, name, code, *addresses, flush=True)
