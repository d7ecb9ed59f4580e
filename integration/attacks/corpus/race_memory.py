"""Arguments that cannot be read, cannot be read at times, or make no sense.

attacks: the copy of the guest's memory
effect: the canary accepts a connection, or the supervisor fails
topic: notify races, unmapped pages and odd lengths
"""

import ctypes
import mmap
import socket
import threading
import time

from kit import address, attempt, call, libc, say, sockaddr, syscall, target

CONNECT, BIND, SENDTO, GETSOCKOPT, LISTEN = 42, 49, 44, 55, 50
LENGTHS = [-(1 << 31), -1, 0, 1, 2, 3, 7, 8, 15, 16, 17, 24, 28, 107, 108, 109, 110, 127, 128, 129, 4096,
           (1 << 31) - 1]
POINTERS = [0, 1, 4095, 1 << 47, (1 << 47) - 1, 1 << 63, (1 << 64) - 1]

name = sockaddr(*address())
big = ctypes.create_string_buffer(name, 8192)
libc.mmap.restype = ctypes.c_void_p
libc.mmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t, *[ctypes.c_int] * 3, ctypes.c_long]
libc.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


def odd_arguments():
    for family in (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX):
        for length in LENGTHS:
            for number in (CONNECT, BIND):
                with attempt(), socket.socket(family) as s:
                    syscall(number, s.fileno(), big, length)
        for pointer in POINTERS:
            for number in (CONNECT, BIND):
                with attempt(), socket.socket(family) as s:
                    syscall(number, s.fileno(), pointer, 16)
            with attempt(), socket.socket(family) as s:
                syscall(GETSOCKOPT, s.fileno(), 1, 4, pointer, pointer)
            with attempt(), socket.socket(family, socket.SOCK_DGRAM if family != socket.AF_UNIX else 1) as s:
                syscall(SENDTO, s.fileno(), big, 5, 0, pointer, 16)
    for number in (-1, 1 << 20, (1 << 31) - 1, 0, 1):
        with attempt():
            syscall(CONNECT, number, name, len(name))
        with attempt():
            syscall(LISTEN, number, -1)


def flicker(start, stopped):
    while not stopped.is_set():
        libc.munmap(start, mmap.PAGESIZE)
        libc.mmap(start, mmap.PAGESIZE, 3, 0x32, -1, 0)  # private, anonymous, fixed
        try_copy(start)


def try_copy(start):
    # The page may be gone between the two calls of another round; it is ours alone.
    ctypes.memmove(start + mmap.PAGESIZE - 16, name, 16)


def flickering_page():
    start = libc.mmap(None, mmap.PAGESIZE, 3, 0x22, -1, 0)
    try_copy(start)
    stopped = threading.Event()
    thread = threading.Thread(target=flicker, args=(start, stopped))
    thread.start()
    deadline = time.monotonic() + target["seconds"] / 4
    while time.monotonic() < deadline:
        with attempt_quietly(), socket.socket() as s:
            call(libc.connect, s.fileno(), ctypes.c_void_p(start + mmap.PAGESIZE - 16), 16)
    stopped.set()
    thread.join()


class attempt_quietly:
    def __enter__(self):
        pass

    def __exit__(self, kind, *_):
        return kind is not None and issubclass(kind, OSError)


odd_arguments()
flickering_page()
with socket.socket() as s:
    s.connect((target["allowed"], 80))
    say("alive")
