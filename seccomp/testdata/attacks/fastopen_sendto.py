# wants: ENOTSUP
# reports: sendto
address, received = canary()


def connect():
    socket.socket().sendto(b"hello", socket.MSG_FASTOPEN, address)
    return received()


attack(connect)
