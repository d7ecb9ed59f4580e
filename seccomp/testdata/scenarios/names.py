# layers: base ipc net
import socket

assert socket.getaddrinfo("127.0.0.1", 80, type=socket.SOCK_STREAM)[0][4] == ("127.0.0.1", 80)
assert socket.getaddrinfo("localhost", 80)
try:
    socket.getaddrinfo("name.invalid", 80)
except socket.gaierror:
    pass
