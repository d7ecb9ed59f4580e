"""MSG_FASTOPEN connects a TCP socket without connect(2).

attacks: the trap on connect, and Landlock's right to connect
effect: the canary outside accepts a connection
refused: EOPNOTSUPP
topic: other doors to TCP
"""

import ctypes
import socket

from kit import address, attempt, call, libc, how, sockaddr

MSG_FASTOPEN = 0x20000000


class Message(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("namelen", ctypes.c_uint), ("iov", ctypes.c_void_p),
                ("iovlen", ctypes.c_size_t), ("control", ctypes.c_void_p),
                ("controllen", ctypes.c_size_t), ("flags", ctypes.c_int), ("sent", ctypes.c_uint)]


def sendmmsg(s):
    data = ctypes.create_string_buffer(b"hello")
    iov = (ctypes.c_size_t * 2)(ctypes.addressof(data), 5)
    name = sockaddr(*address())
    message = Message(name, len(name), ctypes.addressof(iov), 1, None, 0, 0, 0)
    call(libc.sendmmsg, s.fileno(), ctypes.byref(message), 1, MSG_FASTOPEN)


with attempt(), socket.socket() as s:
    if how == "sendto":
        s.sendto(b"hello", MSG_FASTOPEN, address())
    elif how == "sendmsg":
        s.sendmsg([b"hello"], [], MSG_FASTOPEN, address())
    else:
        sendmmsg(s)
