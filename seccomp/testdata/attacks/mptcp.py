# wants: EPROTONOSUPPORT
# reports: socket
address, received = canary()


def connect():
    peer = socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)
    peer.connect(address)
    peer.send(b"hello")
    return received()


attack(connect)
