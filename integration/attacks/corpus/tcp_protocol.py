"""Transports that look like TCP and have a connect of their own.

attacks: Landlock's right to connect, which knows TCP only
effect: the canary outside accepts a connection
refused: EPROTONOSUPPORT, EAFNOSUPPORT
topic: other doors to TCP
"""

import errno
import socket

from kit import absent, address, attempt, how, inside, name

KINDS = {
    "mptcp": (socket.AF_INET, socket.SOCK_STREAM, 262),
    "smc": (socket.AF_INET, socket.SOCK_STREAM, 256),
    "af_smc": (43, socket.SOCK_STREAM, 0),
    "sctp": (socket.AF_INET, socket.SOCK_STREAM, 132),
    "dccp": (socket.AF_INET, 6, 33),
}

with attempt():
    try:
        s = socket.socket(*KINDS[how])
    except OSError as error:
        if error.errno in (errno.EPROTONOSUPPORT, errno.EAFNOSUPPORT, errno.ESOCKTNOSUPPORT):
            print("refused", name(error))
            absent(how)
        raise
    with s:
        try:
            s.connect(address())
        except ConnectionRefusedError:
            if how == "sctp" and not inside:
                absent("a server of SCTP")
            raise
        s.send(b"hello")
