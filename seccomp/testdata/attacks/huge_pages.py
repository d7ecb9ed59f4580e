# wants: ENOMEM
# Without a reservation the mapping succeeds even where no huge page is free.
libc.mmap.restype = ctypes.c_long


def map_memory():
    address = libc.mmap(None, ctypes.c_ulong(1 << 21), 3, 0x2 | 0x20 | 0x4000 | 0x40000, -1, ctypes.c_ulong(0))
    if address == -1:
        raise OSError(ctypes.get_errno(), "mmap")
    return True


attack(map_memory)
