"""Connects to listeners that never accept, until the network is full."""

import socket

refused = None
listeners = []
for _ in range(5):
    listener = socket.create_server(("127.0.0.1", 0), backlog=4096)
    listeners.append(listener)
    for _ in range(0 if refused else 2000):
        with socket.socket() as sock:
            try:
                sock.connect(listener.getsockname())
            except OSError as e:
                refused = e.strerror
                break
print(refused)
for listener in listeners:
    listener.close()
with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname()):
    print("room again")
