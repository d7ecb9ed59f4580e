"""A server of the host's on a path that the policy makes visible.

attacks: what a read-only or writable bind makes reachable
effect: the server accepts, or receives a datagram
refused: EACCES, EPERM, ENOENT, ECONNREFUSED, EROFS, EXDEV, ELOOP, EPROTOTYPE, EAFNOSUPPORT
topic: AF_UNIX, path
"""

import os
import socket

from kit import attempt, how, target

path = target["path"]
if how == "relative":
    os.chdir(os.path.dirname(path))
    path = os.path.basename(path)
elif how == "symlink":
    os.symlink(path, "/tmp/link-%d" % os.getpid())
    path = "/tmp/link-%d" % os.getpid()
elif how == "descriptor":
    directory = os.open(os.path.dirname(path), os.O_PATH | os.O_DIRECTORY)
    path = "/proc/self/fd/%d/%s" % (directory, os.path.basename(path))
elif how == "opath":
    with attempt():
        path = "/proc/self/fd/%d" % os.open(path, os.O_PATH)
elif how == "root":
    path = "/proc/self/root" + path
elif how == "rename":
    with attempt():
        os.rename(path, os.path.dirname(path) + "/renamed")
        path = os.path.dirname(path) + "/renamed"
elif how == "hardlink":
    with attempt():
        os.link(path, os.path.dirname(path) + "/linked")
        path = os.path.dirname(path) + "/linked"

kind = socket.SOCK_DGRAM if "datagram" in how else socket.SOCK_STREAM
with attempt(), socket.socket(socket.AF_UNIX, kind) as s:
    if how == "datagram":
        s.sendto(b"hello", path)
    elif how == "datagram sendmsg":
        s.sendmsg([b"hello"], [], 0, path)
    elif how == "datagram connect":
        s.connect(path)
        s.send(b"hello")
    else:
        s.connect(path)
