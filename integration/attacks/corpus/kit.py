"""What the attacks share: their target, raw system calls, and how they report.

An attack prints "EFFECT" when it has seen its effect itself, "refused ERRNO" for
a call that failed, and "absent REASON" when this kernel has nothing to attack.
The test also looks for the effect from outside.
"""

import contextlib
import ctypes
import errno
import json
import os
import platform
import struct
import socket
import sys

target = json.loads(sys.argv[1]) if len(sys.argv) > 1 else {}
how = target.get("how", "")
inside = os.environ.get("HOME") == "/home/sandbox"
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long

if platform.machine() != "x86_64":
    sys.exit("the attacks know the system calls of x86_64 only")


def say(*words):
    """Prints a line at once: the attack may not live to flush it."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode("utf-8", "backslashreplace"))


def effect(*words):
    """Says that the attack has worked."""
    say("EFFECT", *words)


def ready():
    """Lets the test act outside, and waits until it has."""
    say("ready")
    sys.stdin.read()


def absent(reason):
    """Says that this kernel has nothing to attack, and ends."""
    say("absent", reason)
    sys.exit(0)


def name(error):
    """The name of an OSError's errno."""
    if error.errno == errno.EOPNOTSUPP:
        return "EOPNOTSUPP"  # which Python prefers to call ENOTSUP
    return errno.errorcode.get(error.errno, str(error.errno))


@contextlib.contextmanager
def attempt():
    """Reports an OSError in its body as a refusal, and goes on behind it."""
    try:
        yield
    except OSError as error:
        say("refused", name(error))


def call(function, *arguments):
    """Calls a function of libc; a result of -1 becomes an OSError."""
    result = function(*arguments)
    if result == -1:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def long_argument(value):
    """A register: pointers and bytes as they are, numbers as 64 bits."""
    if isinstance(value, int):
        return ctypes.c_long(value if value < 1 << 63 else value - (1 << 64))
    return value


def syscall(number, *arguments):
    """Makes a system call by its number on x86_64."""
    return call(libc.syscall, ctypes.c_long(number), *map(long_argument, arguments))


def address():
    """The canary's address as the socket module takes it."""
    return target["host"], target["port"]


def family():
    return socket.AF_INET6 if ":" in target["host"] else socket.AF_INET


def sockaddr(host, port):
    """An address as the kernel takes it."""
    if ":" in host:
        return struct.pack("=HHI16sI", socket.AF_INET6, socket.htons(port), 0,
                           socket.inet_pton(socket.AF_INET6, host), 0)
    return struct.pack("=HH4s8x", socket.AF_INET, socket.htons(port), socket.inet_aton(host))


def machine_code(code, result=ctypes.c_long, *arguments):
    """Places machine code in memory of its own and returns it as a function."""
    import mmap
    memory = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
    memory.write(code)
    start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    function = ctypes.CFUNCTYPE(result, *arguments)(start)
    function.memory = memory
    return function
