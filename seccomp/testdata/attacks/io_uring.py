# wants: ENOSYS
parameters = ctypes.create_string_buffer(120)
attack(lambda: call(425, 4, parameters) >= 0)
