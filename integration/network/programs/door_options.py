"""Sets options that would change where a connection goes: door_options.py ADDRESS WHEN

WHEN is "before" or "after" connect. Prints how each ended.
"""

import array
import fcntl
import socket
import struct
import sys

from kit import attempt

address, when = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
SOL, IP, IPV6, TCP = socket.SOL_SOCKET, socket.IPPROTO_IP, socket.IPPROTO_IPV6, socket.IPPROTO_TCP
ONE = struct.pack("i", 1)
PEER = struct.pack("=H2s4s", socket.AF_INET, b"\0\7", socket.inet_aton("203.0.113.80"))
OPTIONS = [
    ("SO_BINDTODEVICE", SOL, 25, b"lo\0"), ("SO_BINDTOIFINDEX", SOL, 62, ONE), ("SO_MARK", SOL, 36, ONE),
    ("SO_TXTIME", SOL, 61, struct.pack("iI", 1, 0)),
    ("SO_ZEROCOPY", SOL, 60, ONE), ("SO_BUSY_POLL", SOL, 46, ONE),
    ("SO_RCVBUFFORCE", SOL, 33, ONE), ("SO_SNDBUFFORCE", SOL, 32, ONE), ("SO_INCOMING_CPU", SOL, 49, ONE),
    ("SO_ATTACH_FILTER", SOL, 26, b""), ("TCP_REPAIR", TCP, 19, ONE), ("TCP_FASTOPEN", TCP, 23, ONE),
    ("TCP_FASTOPEN_CONNECT", TCP, 30, ONE), ("TCP_MD5SIG", TCP, 14, PEER.ljust(216, b"\0")),
    ("TCP_ULP", TCP, 31, b"tls"), ("TCP_SAVE_SYN", TCP, 27, ONE),
]
if family == socket.AF_INET:
    OPTIONS += [
        ("IP_OPTIONS", IP, 4, bytes([7, 7, 4, 0, 0, 0, 0, 0])), ("IP_FREEBIND", IP, 15, ONE),
        ("IP_TRANSPARENT", IP, 19, ONE), ("IP_UNICAST_IF", IP, 50, bytes(4)), ("IP_HDRINCL", IP, 3, ONE),
    ]
else:
    segments = struct.pack("BBBBBBH", 0, 4, 4, 1, 1, 0, 0) + bytes(16)
    segments += socket.inet_pton(family, "2001:db8:77::81")
    OPTIONS += [
        ("IPV6_RTHDR", IPV6, 57, segments), ("IPV6_HOPOPTS", IPV6, 54, bytes([0, 0, 1, 4, 0, 0, 0, 0])),
        ("IPV6_DSTOPTS", IPV6, 59, bytes([0, 0, 1, 4, 0, 0, 0, 0])), ("IPV6_FREEBIND", IPV6, 78, ONE),
        ("IPV6_TRANSPARENT", IPV6, 75, ONE), ("IPV6_UNICAST_IF", IPV6, 76, bytes(4)),
    ]


def connected():
    s = socket.socket(family)
    if when == "after":
        s.connect((address, 7))
    return s


def set_option(level, number, value):
    with connected() as s:
        s.setsockopt(level, number, value)
        return "set"


def interfaces():
    with connected() as s:
        names = array.array("B", bytes(4096))
        request = struct.pack("iP", 4096, names.buffer_info()[0])
        size = struct.unpack("iP", fcntl.ioctl(s, 0x8912, request))[0]
        return "told" if size else "none"


def hardware():
    with connected() as s:
        fcntl.ioctl(s, 0x8927, struct.pack("256s", b"lo"))
        return "told"


def peer_process():
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.getsockopt(SOL, 77)
        return "told"


for option, level, number, value in OPTIONS:
    attempt(option, set_option, level, number, value)
attempt("SIOCGIFCONF", interfaces)
attempt("SIOCGIFHWADDR", hardware)
attempt("SO_PEERPIDFD", peer_process)
