# wants: ENOTSUP
# reports: sendmsg
address, received = canary()


def connect():
    socket.socket().sendmsg([b"hello"], [], socket.MSG_FASTOPEN, address)
    return received()


attack(connect)
