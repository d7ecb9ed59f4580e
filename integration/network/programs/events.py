"""Waits for connections by epoll that knew the socket before: events.py ADDRESS"""

import select
import socket
import sys
import threading

from kit import attempt

address = sys.argv[1]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
BOTH = select.EPOLLIN | select.EPOLLOUT


def stream():
    made = socket.socket(family)
    made.setblocking(False)
    return made


def level(flags=0):
    with stream() as s, select.epoll() as poll:
        poll.register(s, BOTH | flags)
        poll.poll(0)
        if flags & select.EPOLLONESHOT:
            poll.modify(s, BOTH | flags)
        s.connect_ex((address, 7))
        seen = [poll.poll(20)[0][1]]
        assert s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR) == 0
        if flags & select.EPOLLONESHOT:
            assert not poll.poll(0.05)
            poll.modify(s, select.EPOLLIN | flags)
        elif not flags:
            poll.modify(s, select.EPOLLIN)
        s.send(b"hello")
        seen.append(poll.poll(20)[0][1])
        return f"{seen} {s.recv(10).decode()} {poll.poll(0) if flags & select.EPOLLET else ''}"


def waiting_thread():
    with stream() as s, select.epoll() as poll:
        poll.register(s, select.EPOLLIN | select.EPOLLET)
        poll.poll(0)
        seen = []

        def wait():
            for _ in range(10):
                seen.extend(event for _, event in poll.poll(20))
                if seen and seen[-1] == select.EPOLLIN:
                    return
        thread = threading.Thread(target=wait)
        thread.start()
        s.connect_ex((address, 7))
        select.select([], [s], [], 20)
        s.send(b"hello")
        thread.join(20)
        return f"{seen[-1]} {thread.is_alive()}"


def two_polls():
    with stream() as s, select.epoll() as first, select.epoll() as second:
        first.register(s, select.EPOLLOUT)
        s.connect_ex((address, 7))
        second.register(s, select.EPOLLOUT)
        return f"{first.poll(20)[0][1]} {second.poll(20)[0][1]}"


def duplicate():
    with stream() as s, s.dup() as other, select.epoll() as poll:
        poll.register(other, select.EPOLLOUT)
        s.connect_ex((address, 7))
        return f"{poll.poll(20)[0] == (other.fileno(), select.EPOLLOUT)}"


def many_times():
    """One epoll, one number, 300 connections one after another."""
    with select.epoll() as poll:
        for number in range(300):
            with stream() as s:
                poll.register(s, BOTH)
                s.connect_ex((address, 7))
                while True:
                    event = poll.poll(20)[0][1]
                    if event == select.EPOLLOUT:
                        break
                s.send(b"%d" % number)
                poll.modify(s, select.EPOLLIN)
                poll.poll(20)
                if int(s.recv(10)) != number:
                    return f"wrong at {number}"
    return "300"


attempt("level", level)
attempt("edge", level, select.EPOLLET)
attempt("one shot", level, select.EPOLLONESHOT)
attempt("another thread", waiting_thread)
attempt("two polls", two_polls)
attempt("duplicate", duplicate)
attempt("many", many_times)
