# wants: ENOTSUP
# reports: sendmsg
left, right = socket.socketpair()


def send():
    left.sendmsg([b"!"], [], socket.MSG_OOB)
    return right.recv(1, socket.MSG_OOB) == b"!"


attack(send)
