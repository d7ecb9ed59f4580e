"""Sets options before and after connect and reads them back: options.py ADDRESS"""

import socket
import struct
import sys

from kit import attempt

address = sys.argv[1]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
SOL, TCP = socket.SOL_SOCKET, socket.IPPROTO_TCP
NUMBERS = [
    ("SO_KEEPALIVE", SOL, 1), ("SO_REUSEADDR", SOL, 1), ("SO_OOBINLINE", SOL, 1), ("SO_RCVBUF", SOL, 60000),
    ("SO_SNDBUF", SOL, 70000), ("SO_RCVLOWAT", SOL, 3), ("SO_PRIORITY", SOL, 2),
    ("TCP_NODELAY", TCP, 1), ("TCP_KEEPIDLE", TCP, 71), ("TCP_KEEPINTVL", TCP, 11), ("TCP_KEEPCNT", TCP, 4),
    ("TCP_USER_TIMEOUT", TCP, 7000), ("TCP_SYNCNT", TCP, 4), ("TCP_NOTSENT_LOWAT", TCP, 9000),
]
if family == socket.AF_INET:
    NUMBERS += [("IP_TOS", socket.IPPROTO_IP, 16), ("IP_TTL", socket.IPPROTO_IP, 50)]
else:
    NUMBERS += [("IPV6_TCLASS", socket.IPPROTO_IPV6, 16), ("IPV6_UNICAST_HOPS", socket.IPPROTO_IPV6, 50)]


def set_all(s):
    for name, level, value in NUMBERS:
        s.setsockopt(level, getattr(socket, name), value)
    s.setsockopt(SOL, socket.SO_LINGER, struct.pack("ii", 1, 5))
    s.setsockopt(SOL, socket.SO_RCVTIMEO, struct.pack("ll", 9, 0))


def get_all(s):
    found = [f"{name}={s.getsockopt(level, getattr(socket, name))}" for name, level, _ in NUMBERS]
    found.append("SO_LINGER=%d,%d" % struct.unpack("ii", s.getsockopt(SOL, socket.SO_LINGER, 8)))
    found.append("SO_RCVTIMEO=%d" % struct.unpack("ll", s.getsockopt(SOL, socket.SO_RCVTIMEO, 16))[0])
    return " ".join(found)


def before():
    with socket.socket(family) as s:
        set_all(s)
        s.connect((address, 7))
        return get_all(s)


def after():
    with socket.socket(family) as s:
        s.connect((address, 7))
        set_all(s)
        return get_all(s)


def told():
    with socket.socket(family) as s:
        s.connect((address, 7))
        s.sendall(b"hello")
        s.recv(5)
        state = s.getsockopt(TCP, socket.TCP_INFO, 104)[0]
        names = ("SO_TYPE", "SO_DOMAIN", "SO_PROTOCOL", "SO_ACCEPTCONN", "SO_ERROR")
        return " ".join([str(state)] + [str(s.getsockopt(SOL, getattr(socket, name))) for name in names])


attempt("before", before)
attempt("after", after)
attempt("told", told)
