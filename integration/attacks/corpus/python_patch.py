"""/proc/self/mem writes to pages that the process may only execute.

attacks: /proc, which is read-only inside
effect: a function of libc does what was written over it
refused: EROFS, EACCES, EPERM
topic: escape corpus, memory: /proc/self/mem
"""

import ctypes

from kit import attempt, effect, libc

RETURN_42 = b"\xb8\x2a\x00\x00\x00\xc3"  # mov eax, 42; ret
start = ctypes.cast(libc.labs, ctypes.c_void_p).value
with attempt():
    with open("/proc/self/mem", "r+b", 0) as memory:
        memory.seek(start)
        memory.write(RETURN_42)
    if libc.labs(7) == 42:
        effect("the code was changed")
