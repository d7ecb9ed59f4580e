# wants: EPERM
# reports: clone
# A thread with its own table of descriptors: the same number, another file.
stack = ctypes.create_string_buffer(65536)
libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]


def clone():
    flags = 0x100 | 0x800 | 0x10000  # CLONE_VM, CLONE_SIGHAND, CLONE_THREAD
    pause = ctypes.cast(libc.pause, ctypes.c_void_p)
    top = (ctypes.addressof(stack) + len(stack) - 256) & ~15
    thread = libc.clone(pause, top, flags, None)
    if thread < 0:
        raise OSError(ctypes.get_errno(), "clone")
    return thread > 0


attack(clone)
os._exit(0)
