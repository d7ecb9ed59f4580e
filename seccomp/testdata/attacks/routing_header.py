# wants: ENOPROTOOPT
# A segment routing header sends to another address than the one that was judged.
peer = socket.socket(socket.AF_INET6)
header = bytes([0, 2, 4, 0, 0, 0, 0, 0]) + socket.inet_pton(socket.AF_INET6, "::1")


def option():
    peer.setsockopt(socket.IPPROTO_IPV6, 57, header)
    return peer.getsockopt(socket.IPPROTO_IPV6, 57, 64) == header


attack(option)
