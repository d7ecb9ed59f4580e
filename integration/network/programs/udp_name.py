"""Sends a datagram to a name, as most programs do: udp_name.py NAME PORT"""

import socket
import sys

host, port = sys.argv[1], int(sys.argv[2])
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
    asking.settimeout(10)
    asking.sendto(b"hello", (host, port))
    data, source = asking.recvfrom(100)
    print(data.decode(), "from", *source)
