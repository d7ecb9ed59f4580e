# wants: ENOPROTOOPT
def option():
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
    return peer.getsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, 16).startswith(b"lo")


attack(option)
