# layers: base ipc
import hashlib, socket, ssl

context = ssl.create_default_context()
left, right = socket.socketpair()
client = context.wrap_socket(left, server_hostname="example.org", do_handshake_on_connect=False)
client.setblocking(False)
try:
    client.do_handshake()
except ssl.SSLWantReadError:
    pass
assert right.recv(1) == b"\x16"
hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 10), ssl.RAND_bytes(8)
