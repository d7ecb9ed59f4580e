"""Waits a second for a client: serve_once.py PORT"""

import socket
import sys

server = socket.create_server(("", int(sys.argv[1])))
server.settimeout(1)
print("listening", flush=True)
try:
    print("client", server.accept()[1])
except TimeoutError:
    print("nobody came")
