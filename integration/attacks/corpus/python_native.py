"""Native code in the interpreter reads a file that the policy does not show.

attacks: everything above the kernel
effect: the program prints what is in the file
refused: ENOENT, EACCES
topic: escape corpus, memory: ctypes, pythonapi, CFuncPtr, shellcode
"""

import ctypes
import os

from kit import attempt, call, effect, how, libc, machine_code, say, target

SECRET = target["secret"].encode()


def show(fd):
    data = ctypes.create_string_buffer(100)
    call(libc.read, fd, data, 100)
    say(data.value.decode())


with attempt():
    if how == "libc":
        show(call(libc.open, SECRET, 0))
    elif how == "system":
        if libc.system(b"cat '" + SECRET + b"'") != 0:
            raise FileNotFoundError(2, "the shell has not found it")
    elif how == "pythonapi":
        code = "import os; os.write(1, open(%r, 'rb').read())" % SECRET.decode()
        if ctypes.pythonapi.PyRun_SimpleString(code.encode()) != 0:
            raise FileNotFoundError(2, "as the traceback says")
    elif how == "address":
        address = ctypes.cast(libc.open, ctypes.c_void_p).value
        opened = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_char_p, ctypes.c_int, use_errno=True)(address)
        show(call(opened, SECRET, 0))
    elif how == "shellcode":
        entry = machine_code(b"\xb8\x02\x00\x00\x00"  # mov eax, 2 (open)
                             b"\x31\xf6\x31\xd2"      # xor esi, esi; xor edx, edx
                             b"\x0f\x05\xc3",         # syscall; ret
                             ctypes.c_long, ctypes.c_char_p)
        fd = entry(SECRET)
        if fd < 0:
            raise OSError(-fd, os.strerror(-fd))
        show(fd)
    else:
        effect("no such way:", how)
