"""Connects to an address before and after a name led to it: pins.py NAME ADDRESS"""

import socket
import sys

from kit import attempt

host, address = sys.argv[1:]


def connect(target):
    socket.create_connection((target, 80), timeout=20).close()
    return "connected"


attempt("before", connect, address)
attempt("lookup", socket.gethostbyname, host)
attempt("after", connect, address)
attempt("other", connect, address[:-1] + "1")
