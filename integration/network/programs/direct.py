"""Serves one client at a listener that is the service manager's own, tries to make
more of it than a listener, and shuts it down for its owner (network.direct)."""

import errno
import os
import socket


def outcome(call, *args):
    try:
        call(*args)
    except OSError as e:
        return errno.errorcode[e.errno]
    return "done"


server = socket.socket(fileno=3)
host, port = server.getsockname()[:2]
server.listen(5)  # as servers do with what they were passed
accepted, _ = server.accept()
accepted.sendall(b"hello from %d" % port)
print("accepted: bind", outcome(accepted.bind, (host, 0)), "listen", outcome(accepted.listen))
elsewhere = os.environ["ELSEWHERE"], int(os.environ["PORT"])
print("connect", outcome(server.connect, elsewhere), outcome(accepted.connect, elsewhere))
accepted.close()
server.shutdown(socket.SHUT_RDWR)
print("after shutdown: connect", outcome(server.connect, elsewhere), "listen", outcome(server.listen))
print("at", "another" if server.getsockname()[1] != port else "the same", "port")
