"""Sends datagrams and ends at once: udp_last.py ADDRESS PORT COUNT"""

import os
import socket
import sys

address, port, count = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
sending = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for _ in range(count):
    sending.sendmsg([b"last"], [], 0, (address, port))
os._exit(0)
