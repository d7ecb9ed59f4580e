"""What processes of one host share beside files and networks.

attacks: the IPC namespace, private /tmp and /dev/shm
effect: the program prints what another process has left
refused: ENOENT, EPERM, EACCES, ENOSYS
topic: side channels and resources, /dev/shm and System V
"""

import ctypes
import os

from kit import attempt, call, how, libc, say, target

with attempt():
    if how in ("shm", "tmp"):
        say(os.read(os.open(target["path"], os.O_RDONLY), 100).decode())
    elif how == "sysv":
        libc.shmat.restype = ctypes.c_void_p
        segment = call(libc.shmget, target["key"], 4096, 0)
        start = libc.shmat(segment, None, 0o10000)
        say(ctypes.string_at(start).decode())
    elif how == "queue":
        queue = call(libc.msgget, target["key"], 0)
        message = ctypes.create_string_buffer(256)
        call(libc.msgrcv, queue, message, 200, 0, 0)
        say(message.raw[8:].rstrip(b"\0").decode())
