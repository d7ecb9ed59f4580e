"""The guest takes what it can get: processes, memory, files, descriptors, time.

attacks: the limits
effect: it gets more than the limit
refused: EAGAIN, ENOMEM, ENOSPC, EFBIG, EMFILE, EDQUOT
topic: side channels and resources, bombs and fills
"""

import mmap
import os
import signal
import sys
import tempfile
import threading
import time

from kit import attempt, effect, how, syscall, target

MIB = 1 << 20
AMOUNT = target["amount"]


def processes():
    children = []
    try:
        for _ in range(AMOUNT):
            pid = os.fork()
            if pid == 0:
                time.sleep(60)
                os._exit(0)
            children.append(pid)
    finally:
        for pid in children:
            os.kill(pid, signal.SIGKILL)
            os.waitpid(pid, 0)


def threads():
    event = threading.Event()
    started = []
    try:
        for _ in range(AMOUNT):
            thread = threading.Thread(target=event.wait)
            try:
                thread.start()
            except RuntimeError:  # "can't start new thread" is all that Python says
                raise OSError(11, "no more threads") from None
            started.append(thread)
    finally:
        event.set()
        for thread in started:
            thread.join()


def memory():
    try:
        data = bytearray(AMOUNT * MIB)
    except MemoryError:
        raise OSError(12, "no more memory") from None
    for page in range(0, len(data), mmap.PAGESIZE):
        data[page] = 1


def shared_memory():
    area = mmap.mmap(-1, AMOUNT * MIB)
    for page in range(0, len(area), mmap.PAGESIZE):
        area[page] = 1


def memory_files():
    files = [syscall(319, b"fill", 8) for _ in range(AMOUNT // 16)]
    for fd in files:
        for _ in range(16):
            os.write(fd, bytes(MIB))


def write_file(directory):
    path = os.path.join(directory, "fill-%d" % os.getpid())
    try:
        with open(path, "wb", buffering=0) as file:
            for _ in range(AMOUNT):
                if file.write(bytes(MIB)) < MIB:
                    file.write(bytes(MIB))
    finally:
        os.unlink(path)


def files():
    made = []
    directory = tempfile.mkdtemp()
    try:
        for i in range(AMOUNT):
            made.append(os.path.join(directory, str(i)))
            os.close(os.open(made[-1], os.O_CREAT | os.O_WRONLY))
    finally:
        for path in made:
            if os.path.exists(path):
                os.unlink(path)


def descriptors():
    held = []
    try:
        for _ in range(AMOUNT):
            held.append(os.open("/dev/null", os.O_RDONLY))
    finally:
        for fd in held:
            os.close(fd)


def output():
    line = b"\x1b[2J\x1b]0;owned\x07 pysandbox: fake\n" + b"x" * 4000 + b"\n"
    for _ in range(AMOUNT * MIB // len(line) + 1):
        os.write(1, line)
    os.write(1, b"\n")


def stubborn():
    for number in range(1, 65):
        try:
            signal.signal(number, signal.SIG_IGN)
        except (OSError, ValueError):
            pass
    end = time.monotonic() + AMOUNT
    while time.monotonic() < end:
        time.sleep(0.1)


def computation():
    """One C function that no signal handler of Python's can interrupt."""
    if hasattr(sys, "set_int_max_str_digits"):
        sys.set_int_max_str_digits(0)
    end = time.process_time() + AMOUNT
    while time.process_time() < end:
        str(1 << 500_000)


WAYS = {
    "processes": processes, "threads": threads, "memory": memory, "shared memory": shared_memory,
    "memory files": memory_files, "tmp": lambda: write_file(tempfile.gettempdir()),
    "shm": lambda: write_file("/dev/shm"), "file": lambda: write_file(target["visible"]), "files": files,
    "descriptors": descriptors, "output": output, "stubborn": stubborn, "computation": computation,
}

with attempt():
    WAYS[how]()
    effect(how)
