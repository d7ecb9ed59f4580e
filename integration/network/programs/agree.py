"""Goes every way to every target: agree.py < QUESTIONS > ANSWERS

QUESTIONS is JSON: names to look up, then targets, each an address, a port and a
word that no other has. What arrives is the word with the way in front of it.
ANSWERS is JSON: for each name its addresses or the error, for each way and target
"sent" or the error.
"""

import contextlib
import ctypes
import errno
import json
import select
import socket
import struct
import sys

from kit import code

LIBC = ctypes.CDLL(None, use_errno=True)


def look_up(host):
    try:
        found = socket.getaddrinfo(host, 7, type=socket.SOCK_STREAM)
    except socket.gaierror as error:
        return [f"gaierror {error.errno}"]
    return sorted({entry[4][0] for entry in found})


def made(kind, target):
    family = socket.AF_INET6 if ":" in target else socket.AF_INET
    fresh = socket.socket(family, kind)
    fresh.settimeout(10)
    return fresh


def stream(target, word):
    with made(socket.SOCK_STREAM, target[0]) as s:
        s.connect(target)
        s.sendall(word)
        s.recv(10)  # it has been written down


def stream_later(target, word):
    """A non-blocking connect."""
    with made(socket.SOCK_STREAM, target[0]) as s:
        s.setblocking(False)
        error = s.connect_ex(target)
        if error == errno.EINPROGRESS:
            select.select([], [s], [], 10)
            error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        if error:
            raise OSError(error, "connect")
        s.settimeout(10)
        s.sendall(word)
        s.recv(10)


def sendto(target, word):
    with made(socket.SOCK_DGRAM, target[0]) as s:
        s.sendto(word, target)


def connected_send(target, word):
    with made(socket.SOCK_DGRAM, target[0]) as s:
        s.connect(target)
        s.send(word)


def sendto_another(target, word):
    """On a socket that is connected elsewhere."""
    head, dot, _ = target[0].rpartition("." if "." in target[0] else ":")
    with made(socket.SOCK_DGRAM, target[0]) as s:
        with contextlib.suppress(OSError):  # without a rule for UDP there is no way
            s.connect((head + dot + "82", 9))
        s.sendto(word, target)


def sendmsg(target, word):
    with made(socket.SOCK_DGRAM, target[0]) as s:
        s.sendmsg([word], [], 0, target)


def sendmmsg(target, word):
    """sendmmsg(2), which Python does not have."""
    with made(socket.SOCK_DGRAM, target[0]) as s:
        packed = socket.inet_pton(s.family, target[0])
        if s.family == socket.AF_INET:
            name = struct.pack("=H", s.family) + struct.pack("!H", target[1]) + packed + bytes(8)
        else:
            name = struct.pack("=H", s.family) + struct.pack("!HI", target[1], 0) + packed + bytes(4)
        address = ctypes.create_string_buffer(name, len(name))
        data = ctypes.create_string_buffer(word, len(word))
        vector = ctypes.create_string_buffer(struct.pack("PN", ctypes.addressof(data), len(word)))
        # struct mmsghdr: a struct msghdr, whose padding is the machine's, and a length
        header = struct.pack("PIxxxxPNPNixxxxIxxxx", ctypes.addressof(address), len(name),
                             ctypes.addressof(vector), 1, 0, 0, 0, 0)
        message = ctypes.create_string_buffer(header, len(header))
        if LIBC.sendmmsg(s.fileno(), message, 1, 0) != 1:
            raise OSError(ctypes.get_errno(), "sendmmsg")


WAYS = (stream, stream_later, sendto, sendto_another, connected_send, sendmsg, sendmmsg)


def go(way, address, port, word):
    try:
        way((address, port), f"{way.__name__} {word}\n".encode())
    except OSError as error:
        return str(code(error.errno))
    return "sent"


asked = json.load(sys.stdin)
answers = {"names": {name: look_up(name) for name in asked["names"]}, "ways": {}}
for address, port, word in asked["targets"]:
    for way in WAYS:
        answers["ways"][f"{way.__name__} {word}"] = go(way, address, port, word)
json.dump(answers, sys.stdout)
