"""New namespaces would give the guest capabilities in them.

attacks: the flags of clone, clone3 and unshare, and setns
effect: the process is in another namespace
refused: EPERM, ENOSYS
topic: ABI, clone3 with CLONE_NEWUSER
"""

import ctypes
import os

from kit import attempt, effect, how, syscall

CLONE, CLONE3, UNSHARE, SETNS = 56, 435, 272, 308
FLAGS = {"user": 0x10000000, "net": 0x40000000, "mnt": 0x20000, "pid": 0x20000000,
         "uts": 0x4000000, "ipc": 0x8000000, "cgroup": 0x2000000, "time": 0x80}
SIGCHLD = 17

call, kind = how.split()


def namespace():
    suffix = "_for_children" if kind in ("pid", "time") else ""
    try:
        return os.readlink("/proc/self/ns/" + kind + suffix)
    except FileNotFoundError:
        return "none yet"  # a new PID namespace has no process until the first child


with attempt():
    before = namespace()
    if call == "unshare":
        syscall(UNSHARE, FLAGS[kind])
        if namespace() != before:
            effect("unshared")
    elif call == "setns":
        fd = os.open("/proc/self/ns/" + kind, os.O_RDONLY)
        syscall(SETNS, fd, FLAGS[kind])
        effect("entered")
    else:
        if call == "clone":
            pid = syscall(CLONE, FLAGS[kind] | SIGCHLD, 0, 0, 0, 0)
        else:
            arguments = (ctypes.c_uint64 * 11)(FLAGS[kind], 0, 0, 0, SIGCHLD)
            pid = syscall(CLONE3, ctypes.byref(arguments), ctypes.sizeof(arguments))
        if pid == 0:
            if os.readlink("/proc/self/ns/" + kind) != before:
                effect("cloned")
            os._exit(0)
        os.waitpid(pid, 0)
