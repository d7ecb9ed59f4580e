# wants: ENOTTY
# SIOCGIFCONF lists the interfaces of the namespace that a socket belongs to.
def interfaces():
    room = ctypes.create_string_buffer(1024)
    request = ctypes.create_string_buffer(struct.pack("iiQ", 1024, 0, ctypes.addressof(room)), 16)
    call(16, socket.socket().detach(), 0x8912, request)
    return struct.unpack("i", request.raw[:4])[0] > 0


attack(interfaces)
