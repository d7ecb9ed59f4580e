"""Asks a server of names directly and by getaddrinfo: udp_53.py SERVER NAME"""

import socket
import struct
import sys

server, name = sys.argv[1:]
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(10)
    asking.sendto(query, (server, 53))
    packet, source = asking.recvfrom(512)
    assert source == (server, 53), source
    print("direct:", socket.inet_ntoa(packet[-4:]))
print("getaddrinfo:", socket.getaddrinfo(name, 80, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
