"""A socket that was connected where the policy allows it is used again.

After the connection the guest holds a socket of the host's network, on which
connect(2), bind(2) and listen(2) would act outside of every namespace.

attacks: the handed-over connection
effect: the canary outside accepts a connection
refused: EACCES, EISCONN, EOPNOTSUPP, ECONNREFUSED
topic: other doors to TCP, a used socket
"""

import select
import socket

from kit import address, attempt, call, how, libc, target

MSG_FASTOPEN = 0x20000000
UNSPEC = bytes(16)


def disconnect(s):
    """connect(2) with AF_UNSPEC; Python's connect cannot say it."""
    call(libc.connect, s.fileno(), UNSPEC, len(UNSPEC))


def again(s):
    if how.endswith("fastopen"):
        s.sendto(b"hello", MSG_FASTOPEN, address())
    else:
        s.connect(address())


with socket.socket() as s:
    if how.startswith("failed"):
        s.setblocking(False)
        s.connect_ex((target["closed"], 80))
        select.select([], [s], [], 60)
    else:
        s.connect((target["allowed"], 80))
    if how.startswith("unspec"):
        with attempt():
            disconnect(s)
    with attempt():
        again(s)
    if how.startswith("failed"):
        for _ in range(3):  # the third try succeeded on one kernel
            with attempt():
                again(s)
