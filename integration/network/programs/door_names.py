"""Asks the world's name server itself, past the broker: door_names.py NAME HOW"""

import os
import socket
import struct
import sys

# Nobody answers in the sandbox, and the server does without.
PATIENCE = 1 if "sandbox" in os.environ["HOME"] else 60
name, how = sys.argv[1:]
labels = b"".join(bytes([len(part)]) + part.encode() for part in name.split("."))
query = struct.pack("!6H", 7, 0x0100, 1, 0, 0, 0) + labels + b"\0" + struct.pack("!2H", 1, 1)
SERVER = ("203.0.113.80", 53)
try:
    if how == "tcp":
        with socket.create_connection(SERVER, timeout=60) as asking:
            asking.sendall(struct.pack("!H", len(query)) + query)
            asking.recv(512)
    else:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
            asking.settimeout(PATIENCE)
            if how == "sendmsg":
                asking.sendmsg([query], [], 0, SERVER)
            else:
                asking.connect(SERVER)
                asking.send(query)
            asking.recv(512)
except OSError as error:
    print("refused:", error, file=sys.stderr)
print("done")
