"""Code that the policy makes readable, or that the guest wrote, is executed.

attacks: noexec mounts, Landlock's right to execute, memory files
effect: the tool or the library says that it runs
refused: EACCES, EPERM, ENOSYS, ENOENT, ENOEXEC, EINVAL
topic: spawn by loader; memfd; writable means noexec
"""

import ctypes
import mmap
import os
import shutil
import subprocess
import sys

from kit import attempt, call, how, libc, say, syscall, target

TOOL, LIBRARY = target["tool"], target["library"]
AT_EMPTY_PATH = 0x1000
LOADER = "/lib64/ld-linux-x86-64.so.2"

kind, _, place = how.partition(" ")


def copied(source):
    """A copy in a place that the guest can write to."""
    if place == "":
        return source
    directories = {"tmp": "/tmp", "shm": "/dev/shm", "home": os.environ["HOME"],
                   "writable": target["writable"]}
    path = "%s/copy-%d" % (directories[place], os.getpid())
    shutil.copyfile(source, path)
    os.chmod(path, 0o755)
    return path


def in_memory(source):
    """A copy in a file of memory, made with the flags that are allowed."""
    for flags in (0x10, 0, 8):  # MFD_EXEC, none, MFD_NOEXEC_SEAL
        with attempt():
            fd = syscall(319, b"memory", flags)
            with open(source, "rb") as file:
                os.write(fd, file.read())
            with attempt():
                os.fchmod(fd, 0o755)
            yield fd


def run(*words):
    with attempt():
        try:
            if subprocess.run(words, check=False).returncode != 0:
                say("refused ENOEXEC")  # by the loader, which says why on standard error
        except subprocess.SubprocessError as error:
            say(error)


def load(path):
    try:
        ctypes.CDLL(path)
    except OSError as error:
        say("refused", "EACCES" if error.errno is None else error.errno)
        say(error)


def map_code(path, protection, change):
    """Maps a file as code, as the dynamic loader would."""
    with open(path, "rb") as file:
        memory = mmap.mmap(file.fileno(), 0, flags=mmap.MAP_PRIVATE, prot=protection)
    if change:
        start = ctypes.addressof(ctypes.c_char.from_buffer(memory))
        length = ctypes.c_size_t(mmap.PAGESIZE)
        call(libc.mprotect, ctypes.c_void_p(start), length, mmap.PROT_READ | mmap.PROT_EXEC)
    say("THE CODE RUNS")


if kind == "direct":
    run(copied(TOOL))
elif kind == "loader":
    run(LOADER, copied(TOOL))
elif kind == "preload":
    os.environ["LD_PRELOAD"] = copied(LIBRARY)
    run(sys.executable, "-I", "-S", "-c", "pass")
    say("refused EACCES")  # the loader goes on without the library
elif kind == "script":
    run(copied(target["script"]))
elif kind == "descriptor":
    with attempt():
        fd = os.open(copied(TOOL), os.O_RDONLY)
        if os.fork() == 0:
            with attempt():
                syscall(322, fd, b"", (ctypes.c_char_p * 2)(b"tool"), (ctypes.c_char_p * 1)(), AT_EMPTY_PATH)
            os._exit(0)
        os.wait()
elif kind == "path":
    fd = os.open(copied(TOOL), os.O_RDONLY)
    run("/proc/%d/fd/%d" % (os.getpid(), fd))
elif kind == "memory":
    for fd in in_memory(TOOL):
        run("/proc/%d/fd/%d" % (os.getpid(), fd))
        if os.fork() == 0:
            with attempt():
                syscall(322, fd, b"", (ctypes.c_char_p * 2)(b"tool"), (ctypes.c_char_p * 1)(), AT_EMPTY_PATH)
            os._exit(0)
        os.wait()
elif kind == "library":
    load(copied(LIBRARY))
elif kind == "map":
    with attempt():
        map_code(copied(LIBRARY), mmap.PROT_READ | mmap.PROT_EXEC, False)
elif kind == "protect":
    with attempt():
        map_code(copied(LIBRARY), mmap.PROT_READ | mmap.PROT_WRITE, True)
elif kind == "spawn":
    with attempt():
        os.waitpid(os.posix_spawn(copied(TOOL), ["tool"], {}), 0)
