"""A task that shares memory but not descriptors makes a number mean two things.

attacks: the flags of clone
effect: the task is made
refused: EPERM
topic: threads without a shared table of descriptors
"""

import ctypes
import os

from kit import attempt, call, effect, how, libc

VM, FS, FILES, SIGHAND, PTRACE, PARENT, THREAD, SYSVSEM = (
    0x100, 0x200, 0x400, 0x800, 0x2000, 0x8000, 0x10000, 0x40000)
SIGCHLD = 17
FLAGS = {
    "process with our memory": VM | SIGCHLD,
    "process with our memory and descriptors": VM | FILES | SIGCHLD,
    "thread with its own descriptors": VM | FS | SIGHAND | THREAD | SYSVSEM,
    "child of our parent": PARENT | SIGCHLD,
    "traced child": PTRACE | VM | SIGCHLD,
}

stack = ctypes.create_string_buffer(1 << 16)
top = (ctypes.addressof(stack) + len(stack)) & ~0xf
libc.clone.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p]
with attempt():
    # sleep(0) returns, and libc then ends the task.
    call(libc.clone, ctypes.cast(libc.sleep, ctypes.c_void_p), top, FLAGS[how], None)
    effect("made")
os._exit(0)
