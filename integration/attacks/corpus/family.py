"""Socket families that reach hardware, the hypervisor or the kernel.

attacks: the list of socket families, types and protocols
effect: the socket is made
refused: EAFNOSUPPORT, EPROTONOSUPPORT, EOPNOTSUPP
topic: other families
"""

import errno
import socket

from kit import absent, attempt, effect, how, name, say

MISSING = (errno.EAFNOSUPPORT, errno.EPROTONOSUPPORT, errno.ESOCKTNOSUPPORT, errno.ENODEV)
FAMILIES = {
    "vsock": (40, socket.SOCK_STREAM, 0),
    "vsock datagram": (40, socket.SOCK_DGRAM, 0),
    "vsock seqpacket": (40, socket.SOCK_SEQPACKET, 0),
    "netlink route": (16, socket.SOCK_RAW, 0),
    "netlink audit": (16, socket.SOCK_DGRAM, 9),
    "netlink uevent": (16, socket.SOCK_DGRAM, 15),
    "netlink diag": (16, socket.SOCK_DGRAM, 4),
    "netlink generic": (16, socket.SOCK_RAW, 16),
    "alg": (38, socket.SOCK_SEQPACKET, 0),
    "packet": (17, socket.SOCK_RAW, 0x300),
    "packet datagram": (17, socket.SOCK_DGRAM, 0x300),
    "raw": (socket.AF_INET, socket.SOCK_RAW, 1),
    "raw6": (socket.AF_INET6, socket.SOCK_RAW, 58),
    "ping": (socket.AF_INET, socket.SOCK_DGRAM, 1),
    "udplite": (socket.AF_INET, socket.SOCK_DGRAM, 136),
    "xdp": (44, socket.SOCK_RAW, 0),
    "tipc": (30, socket.SOCK_RDM, 0),
    "rds": (21, socket.SOCK_SEQPACKET, 0),
    "kcm": (41, socket.SOCK_DGRAM, 0),
    "bluetooth": (31, socket.SOCK_RAW, 1),
    "pppox": (24, socket.SOCK_STREAM, 0),
    "can": (29, socket.SOCK_RAW, 1),
    "key": (15, socket.SOCK_RAW, 2),
    "qipcrtr": (42, socket.SOCK_DGRAM, 0),
    "mctp": (45, socket.SOCK_DGRAM, 0),
}


def make():
    if how == "tipc pair":
        return socket.socketpair(30, socket.SOCK_STREAM)[0]
    return socket.socket(*FAMILIES[how])


with attempt():
    try:
        with make():
            effect(how)
    except OSError as error:
        if error.errno in MISSING:
            say("refused", name(error))
            absent(how)
        raise
