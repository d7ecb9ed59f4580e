"""System calls that administer the host, or reach around every other rule.

attacks: the list of system calls
effect: the call succeeds
refused: EPERM, ENOSYS, EINVAL, EOPNOTSUPP
topic: ABI, calls that are never available
"""

import ctypes
import errno
import os
import struct

from kit import absent, attempt, effect, how, inside, syscall

PID = os.getpid()
AT_FDCWD, SELF = -100, 0


def buffer(size, data=b""):
    return ctypes.create_string_buffer(data, size)


def in_memory(number):
    """process_vm_readv and process_vm_writev on the process itself."""
    a, b = buffer(8), buffer(8, b"secret")
    local = (ctypes.c_size_t * 2)(ctypes.addressof(a), 8)
    remote = (ctypes.c_size_t * 2)(ctypes.addressof(b), 8)
    return syscall(number, PID, local, 1, remote, 1, 0)


def by_handle():
    handle = buffer(136, struct.pack("=Ii", 128, 0))
    mount = ctypes.c_int()
    syscall(303, AT_FDCWD, b"/", handle, ctypes.byref(mount), 0)
    fd = os.open("/", os.O_RDONLY)
    return syscall(304, fd, handle, os.O_RDONLY)


def pidfd():
    return syscall(434, PID, 0)


def advise():
    area = buffer(8192)
    vector = (ctypes.c_size_t * 2)(ctypes.addressof(area) & ~4095, 4096)
    return syscall(440, pidfd(), vector, 1, 20, 0)


def trace():
    child = os.fork()
    if child == 0:
        try:
            syscall(101, 0, 0, 0, 0)
            os._exit(0)
        except OSError as error:
            os._exit(error.errno)
    status = os.waitpid(child, 0)[1] >> 8
    if status:
        raise OSError(status, os.strerror(status))


def perf():
    attributes = buffer(112, struct.pack("=IIQQQQQ", 1, 112, 0, 0, 0, 0, 1 << 5 | 1 << 6))
    return syscall(298, attributes, 0, -1, -1, 0)


def bpf():
    array = buffer(72, struct.pack("=IIII", 2, 4, 4, 1))
    return syscall(321, 0, array, 72)


def file_system():
    """fsopen, fsconfig, fsmount: a new tmpfs."""
    fd = syscall(430, b"tmpfs", 0)
    syscall(431, fd, 6, None, None, 0)
    return syscall(432, fd, 0, 0)


def message_queue():
    """The smallest queue, which goes again: a user may hold few bytes in queues."""
    name, shape = b"attack%d" % PID, struct.pack("=4q32x", 0, 1, 1, 0)
    fd = syscall(240, name, os.O_RDWR | os.O_CREAT, 0o600, shape)
    syscall(241, name)
    return fd


CALLS = {
    "openat2": lambda: syscall(437, AT_FDCWD, b"/", struct.pack("=QQQ", 0, 0, 0), 24),
    "open_by_handle_at": by_handle,
    "fsopen": file_system,
    "open_tree": lambda: syscall(428, AT_FDCWD, b"/", 1),
    "mount": lambda: syscall(165, b"none", b"/tmp", b"tmpfs", 0, None),
    "remount": lambda: syscall(165, b"none", b"/", None, 1 << 5 | 1 << 12, None),
    "umount": lambda: syscall(166, b"/proc", 2),
    "mount_setattr": lambda: syscall(442, AT_FDCWD, b"/", 0x8000, struct.pack("=QQQQ", 2, 0, 0, 0), 32),
    "chroot": lambda: syscall(161, b"/tmp"),
    "pidfd_getfd": lambda: syscall(438, pidfd(), 1, 0),
    "process_madvise": advise,
    "process_vm_readv": lambda: in_memory(310),
    "process_vm_writev": lambda: in_memory(311),
    "ptrace": trace,
    "userfaultfd": lambda: syscall(323, 1),
    "bpf": bpf,
    "perf_event_open": perf,
    "add_key": lambda: syscall(248, b"user", b"attack", b"x", 1, -2),
    "keyctl": lambda: syscall(250, 0, -3, 1),
    "request_key": lambda: syscall(250, 1, b"attack"),
    "memfd_create": lambda: syscall(319, b"executable", 0),
    "memfd_create exec": lambda: syscall(319, b"executable", 0x10),
    "kcmp": lambda: syscall(312, PID, PID, 0, 0, 1),
    "syslog": lambda: syscall(103, 10, None, 0),
    "sethostname": lambda: syscall(170, b"attacked", 8),
    "setdomainname": lambda: syscall(171, b"attacked", 8),
    "iopl": lambda: syscall(172, 3),
    "ioperm": lambda: syscall(173, 0x80, 1, 1),
    "personality": lambda: syscall(135, 0x0400000),
    "fanotify_init": lambda: syscall(300, 0, 0),
    "modify_ldt": lambda: syscall(154, 0, buffer(64), 64),
    "io_setup": lambda: syscall(206, 1, buffer(8)),
    "vmsplice": lambda: syscall(278, os.pipe()[1], (ctypes.c_size_t * 2)(0, 0), 1, 0),
    "move_pages": lambda: syscall(279, PID, 0, None, None, None, 0),
    "shmget": lambda: syscall(29, 0, 4096, 0o1600),
    "mq_open": message_queue,
    "dumpable": lambda: syscall(157, 4, 0, 0, 0, 0),
    "securebits": lambda: syscall(157, 28, 1, 0, 0, 0),
}

with attempt():
    try:
        CALLS[how]()
        effect(how)
    except OSError as error:
        unknown = (how, error.errno) == ("memfd_create exec", errno.EINVAL)  # MFD_EXEC is of Linux 6.3
        if not inside and (unknown or error.errno == errno.ENOSYS):
            absent(how)
        raise
