"""Hands a socket to another process, which then connects it: door_rights.py ADDRESS ALLOWED PORT

The socket was connected to port ALLOWED or is new. ALLOWED may be connected to,
PORT may not.
"""

import os
import socket
import sys

address, allowed, port = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])


def child_connects(send):
    """A child takes a socket by SCM_RIGHTS and connects it to PORT."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        ours.close()
        _, descriptors, _, _ = socket.recv_fds(theirs, 1, 1)
        with socket.socket(fileno=descriptors[0]) as taken:
            taken.settimeout(60)
            for undo in True, False:
                try:
                    if undo:
                        dissolve(taken)
                    taken.connect((address, port))
                    taken.send(b"hello")
                except OSError as error:
                    print("refused:", error, file=sys.stderr)
        os._exit(0)
    theirs.close()
    with send() as handed:
        socket.send_fds(ours, [b"x"], [handed.fileno()])
        os.waitpid(child, 0)


def dissolve(taken):
    import ctypes
    ctypes.CDLL(None).connect(taken.fileno(), bytes(16), 16)


def connected():
    return socket.create_connection((address, allowed), timeout=10)


child_connects(socket.socket)
child_connects(connected)
print("done")
