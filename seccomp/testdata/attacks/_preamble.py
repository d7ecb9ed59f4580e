# What every attack starts with. An attack prints "reached" when it had its effect,
# otherwise the name of the error that stopped it.
import ctypes, errno, os, socket, struct, sys, tempfile

libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
HIGH = 1 << 32  # a bit of the half of a register that the kernel does not read of an int


def call(number, *args):
    """Makes a system call and raises OSError when it fails."""
    registers = [a if isinstance(a, (bytes, ctypes.Array)) else ctypes.c_ulong(a) for a in args]
    result = libc.syscall(ctypes.c_long(number), *registers)
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))
    return result


def attack(function):
    try:
        print("reached" if function() else "no effect", flush=True)
    except OSError as error:
        print(errno.errorcode[error.errno], flush=True)


def directory():
    return tempfile.TemporaryDirectory()


def canary():
    """A listener on loopback, and a function that says whether data came to it."""
    listener = socket.create_server(("127.0.0.1", 0))
    listener.settimeout(0.5)

    def received():
        try:
            peer, _ = listener.accept()
        except socket.timeout:
            return False
        peer.settimeout(0.5)
        return peer.recv(16) == b"hello"

    return listener.getsockname(), received
