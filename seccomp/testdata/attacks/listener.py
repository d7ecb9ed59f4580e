# wants: EPERM
# reports: seccomp
# A filter with a listener of the guest's own would answer for the supervisor.
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000), 8)
program = struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow))
libc.prctl(38, 1, 0, 0, 0)
attack(lambda: call(317, 1, 8, program) >= 0)
