"""Sends datagrams to echo servers in every way: udp.py ADDRESS OTHER CLOSED

ADDRESS and OTHER are of the same machine and echo at ports 7 and 1007; nothing
listens at port CLOSED.
"""

import asyncio
import ctypes
import select
import socket
import sys

from kit import attempt, name

address, other, closed = sys.argv[1], sys.argv[2], int(sys.argv[3])
family = socket.AF_INET6 if ":" in address else socket.AF_INET


def datagram():
    made = socket.socket(family, socket.SOCK_DGRAM)
    made.settimeout(10)
    return made


def told(received):
    data, source = received
    return f"{len(data) if len(data) > 40 else data.decode()} from {source[0]} {source[1]}"


def unconnected(target, port, data=b"hello"):
    with datagram() as asking:
        asking.sendto(data, (target, port))
        return told(asking.recvfrom(65535))


def two_from_one():
    with datagram() as asking:
        asking.sendto(b"one", (address, 7))
        asking.sendto(b"two", (other, 1007))
        return ", ".join(sorted(told(asking.recvfrom(65535)) for _ in range(2)))


def connected():
    with datagram() as asking:
        asking.connect((address, 7))
        asking.send(b"hello")
        return told((asking.recv(65535), asking.getpeername()))


def connected_is_deaf_to_others():
    with datagram() as asking, datagram() as second:
        asking.connect((address, 7))
        second.bind(("", 0))
        second.sendto(b"hello", (address, 7))
        second.recv(100)
        asking.send(b"mine")
        return asking.recv(100).decode()


def reconnected():
    with datagram() as asking:
        asking.connect((address, 7))
        asking.connect((other, 1007))
        asking.send(b"hello")
        return told((asking.recv(65535), asking.getpeername()))


def message():
    with datagram() as asking:
        asking.sendmsg([b"hel", b"lo"], [], 0, (address, 7))
        data, _, _, source = asking.recvmsg(65535)
        return told((data, source))


class Iovec(ctypes.Structure):
    _fields_ = [("base", ctypes.c_char_p), ("size", ctypes.c_size_t)]


class Header(ctypes.Structure):
    _fields_ = [("name", ctypes.c_char_p), ("name_size", ctypes.c_uint32), ("iov", ctypes.POINTER(Iovec)),
                ("iov_count", ctypes.c_size_t), ("control", ctypes.c_void_p),
                ("control_size", ctypes.c_size_t),
                ("flags", ctypes.c_int)]


class Message(ctypes.Structure):
    _fields_ = [("header", Header), ("sent", ctypes.c_uint)]


def sockaddr(target, port):
    head = family.to_bytes(2, sys.byteorder) + port.to_bytes(2, "big")
    if family == socket.AF_INET6:
        return head + bytes(4) + socket.inet_pton(family, target) + bytes(4)
    return head + socket.inet_aton(target) + bytes(8)


def many_messages():
    libc = ctypes.CDLL(None, use_errno=True)
    vector = (Message * 3)()
    targets = sockaddr(address, 7), sockaddr(other, 7), sockaddr(address, 1007)
    for i, where in enumerate(targets):
        data = b"number %d" % i
        part = ctypes.pointer(Iovec(data, len(data)))
        vector[i].header = Header(where, len(where), part, 1, None, 0, 0)
    with datagram() as asking:
        sent = libc.sendmmsg(asking.fileno(), vector, 3, 0)
        return f"{sent} sent, " + ", ".join(sorted(told(asking.recvfrom(65535)) for _ in range(3)))


def refused():
    with datagram() as asking:
        asking.connect((address, closed))
        asking.send(b"hello")
        return asking.recv(100)


def refusal_is_told_to_the_next_call():
    with datagram() as asking:
        asking.connect((address, closed))
        asking.send(b"hello")
        select.select([asking], [], [], 10)
        return asking.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


def by_asyncio():
    class Client(asyncio.DatagramProtocol):
        def __init__(self):
            self.done = asyncio.get_running_loop().create_future()

        def datagram_received(self, data, source):
            self.done.set_result(told((data, source)))

        def error_received(self, error):
            self.done.set_result(name(error))

    async def run(port):
        loop = asyncio.get_running_loop()
        transport, client = await loop.create_datagram_endpoint(Client, remote_addr=(address, port))
        transport.sendto(b"hello")
        try:
            return await asyncio.wait_for(client.done, 10)
        finally:
            transport.close()
    return asyncio.run(run(7)) + ", " + asyncio.run(run(closed))


def in_order():
    with datagram() as asking:
        asking.connect((address, 7))
        for number in range(200):
            asking.send(b"%d" % number)
            if int(asking.recv(100)) != number:
                return f"number {number} is another"
    return "200 round trips"


attempt("unconnected", unconnected, address, 7)
attempt("port 1007", unconnected, address, 1007)
attempt("other address", unconnected, other, 7)
attempt("empty", unconnected, address, 7, b"")
attempt("large", unconnected, address, 7, bytes(60000))
attempt("two from one", two_from_one)
attempt("connected", connected)
attempt("deaf", connected_is_deaf_to_others)
attempt("reconnected", reconnected)
attempt("sendmsg", message)
attempt("sendmmsg", many_messages)
attempt("refused", refused)
attempt("SO_ERROR", refusal_is_told_to_the_next_call)
attempt("asyncio", by_asyncio)
attempt("order", in_order)
