"""Calls that act on another process, by its number.

Inside they are tried on the host's number of a victim and on PID 1, the only
other process there is.

attacks: the PID namespace, Landlock's scope, PID 1
effect: the victim is read, changed, stopped or killed
refused: ESRCH, EPERM, ENOENT, EACCES, EIO, EINVAL, EROFS
topic: supervisor as target; host processes
"""

import ctypes
import fcntl
import os
import resource
import signal
import struct
import sys

from kit import attempt, effect, how, inside, syscall, target

VICTIM = target["pid"]


def read_memory(pid):
    with open("/proc/%d/maps" % pid) as maps:
        start = int(maps.readline().split("-")[0], 16)
    with open("/proc/%d/mem" % pid, "r+b", 0) as memory:
        memory.seek(start)
        effect(memory.read(4))


def read_vm(pid):
    with open("/proc/%d/maps" % pid) as maps:
        start = int(maps.readline().split("-")[0], 16)
    data = ctypes.create_string_buffer(8)
    local = (ctypes.c_size_t * 2)(ctypes.addressof(data), 8)
    remote = (ctypes.c_size_t * 2)(start, 8)
    effect(syscall(310, pid, local, 1, remote, 1, 0))


def trace(pid):
    syscall(101, 16, pid, 0, 0)
    effect("attached")
    os.waitpid(pid, 0)
    syscall(101, 17, pid, 0, 0)


def steal(pid):
    effect(syscall(438, syscall(434, pid, 0), 0, 0))


def own(pid):
    """SIGIO ends a process that expects none."""
    reader, writer = os.pipe()
    fcntl.fcntl(reader, fcntl.F_SETOWN, pid)
    fcntl.fcntl(reader, fcntl.F_SETFL, os.O_ASYNC | os.O_NONBLOCK)
    os.write(writer, b"x")


def own_group(pid):
    own(-os.getpgrp())


def limit(pid):
    new = struct.pack("=QQ", 7, 7)
    syscall(302, pid, resource.RLIMIT_NOFILE, new, None)
    if pid == 1:
        effect("lowered a limit of PID 1")


def pace(change, *arguments):
    """PID 1 is of the program's group and user."""
    change(*arguments)
    if inside:
        effect("changed the pace of PID 1")


def queue(pid):
    syscall(129, pid, signal.SIGTERM, struct.pack("=iii", signal.SIGTERM, 0, -1) + bytes(116))


def links(pid):
    for link in ("root", "cwd", "exe", "fd/0", "ns/user"):
        with attempt():
            os.listdir("/proc/%d/fd" % pid)
            effect(os.readlink("/proc/%d/%s" % (pid, link)))


def environment(pid):
    for name in ("environ", "auxv", "maps", "stack", "syscall", "io"):
        with attempt(), open("/proc/%d/%s" % (pid, name), "rb") as file:
            if file.read(1):
                effect(name)


CALLS = {
    "kill": lambda pid: os.kill(pid, signal.SIGTERM),
    "tkill": lambda pid: syscall(200, pid, signal.SIGTERM),
    "tgkill": lambda pid: syscall(234, pid, pid, signal.SIGTERM),
    "queue": queue,
    "pidfd": lambda pid: syscall(424, syscall(434, pid, 0), signal.SIGTERM, None, 0),
    "group": lambda pid: os.kill(0, signal.SIGTERM),
    "own": own,
    "own group": own_group,
    "everyone": lambda pid: os.kill(-1, signal.SIGTERM),
    "priority": lambda pid: pace(os.setpriority, os.PRIO_PROCESS, pid, 19),
    "priority of group": lambda pid: pace(os.setpriority, os.PRIO_PGRP, 0, 19),
    "priority of user": lambda pid: pace(os.setpriority, os.PRIO_USER, 0, 19),
    "affinity": lambda pid: pace(os.sched_setaffinity, pid, {0}),
    "limit": limit,
    "memory": read_memory,
    "vm": read_vm,
    "trace": trace,
    "steal": steal,
    "links": links,
    "environment": environment,
}

for number in (signal.SIGTERM, signal.SIGIO):
    signal.signal(number, signal.SIG_IGN)
for pid in (VICTIM, 1) if inside else (VICTIM,):
    with attempt():
        CALLS[how](pid)
sys.stdout.flush()
