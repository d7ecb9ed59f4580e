# wants: EINVAL
# reports: prctl
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000), 8)
program = struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow))
libc.prctl(38, 1, 0, 0, 0)
attack(lambda: call(157, 22, 2, program) == 0)
