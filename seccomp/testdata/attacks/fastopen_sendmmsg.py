# wants: ENOTSUP
# reports: sendmmsg
address, received = canary()


def connect():
    data = ctypes.create_string_buffer(b"hello", 5)
    name = ctypes.create_string_buffer(struct.pack("=HH", 2, socket.htons(address[1])) + socket.inet_aton(address[0]) + bytes(8), 16)
    vector = ctypes.create_string_buffer(struct.pack("QQ", ctypes.addressof(data), 5), 16)
    message = struct.pack("QIIQQQQiIII", ctypes.addressof(name), 16, 0, ctypes.addressof(vector), 1, 0, 0, 0, 0, 0, 0)
    call(307, socket.socket().detach(), message, 1, socket.MSG_FASTOPEN)
    return received()


attack(connect)
