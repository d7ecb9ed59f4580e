"""Connects in every way a program can: connect.py ADDRESS SILENT UNREACHABLE

At ADDRESS port 7 echoes, 81 resets after one byte and 9999 is closed; SILENT
never answers; there is no route to UNREACHABLE.
"""

import select
import signal
import socket
import struct
import sys
import time

from kit import attempt, code

address, silent, unreachable = sys.argv[1:]
family = socket.AF_INET6 if ":" in address else socket.AF_INET
ECHO, RESET, CLOSED = 7, 81, 9999


def stream(timeout=20):
    made = socket.socket(family)
    made.settimeout(timeout)
    return made


def echo(connected):
    connected.sendall(b"hello")
    return connected.recv(100).decode()


def blocking():
    with stream(None) as s:
        s.connect((address, ECHO))
        return f"{echo(s)} {s.getpeername()[:2]} {s.getsockname()[0]}"


def with_timeout():
    with stream() as s:
        s.connect((address, ECHO))
        return echo(s)


def not_blocking(port):
    with stream() as s:
        s.setblocking(False)
        first = s.connect_ex((address, port))
        select.select([], [s], [], 20)
        status = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        ends = [s.connect_ex((address, port)) for _ in range(2) if status == 0]
        return " ".join(str(code(number)) for number in (first, status, *ends))


def early_second_call():
    with stream() as s:
        s.setblocking(False)
        return " ".join(str(code(s.connect_ex((silent, ECHO)))) for _ in range(2))


def refused_then_connected():
    with stream(None) as s:
        first = code(s.connect_ex((address, CLOSED)))
        s.connect((address, ECHO))
        return f"{first} {echo(s)}"


def ended(call, *arguments):
    """How a call ends."""
    try:
        call(*arguments)
        return "connected"
    except OSError as error:
        return f"{type(error).__name__} {code(error.errno)}"


def lasting(prepare):
    """The error of a call that takes 0.3 seconds: never less, and little more at best,
    as the machine may be busy. prepare(socket) returns the call and its argument."""
    late = []
    while len(late) < 10:
        with stream(None) as s:
            call, argument = prepare(s)
            start = time.monotonic()
            end = ended(call, argument)
            took = time.monotonic() - start
        if took < 1.5:
            return f"{end} {'in time' if 0.25 < took else took}"
        late.append(took)
    return f"{end} {late}"


def silence():
    def prepare(s):
        s.settimeout(0.3)
        return s.connect, (silent, ECHO)
    return lasting(prepare)


def send_timeout():
    def prepare(s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", 0, 300000))
        return s.connect, (silent, ECHO)
    return lasting(prepare)


def receive_timeout():
    def prepare(s):
        s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("ll", 0, 300000))
        s.connect((address, ECHO))
        return s.recv, 1
    return lasting(prepare)


def reset():
    with stream(None) as s:
        s.connect((address, RESET))
        s.sendall(b"x")
        return s.recv(1)


class Alarm(Exception):
    pass


def ring(*_):
    signal.setitimer(signal.ITIMER_REAL, 0)
    raise Alarm


def interrupted():
    """A slow connect ends when a signal's handler raises, within 30 ms at best: the
    machine may be busy. An alarm that comes just before the call does not end it, so
    there is another one."""
    signal.signal(signal.SIGALRM, ring)
    late = []
    while len(late) < 50 and min(late, default=1) >= 0.03:
        with stream(None) as s:
            try:
                due = time.monotonic() + 0.1
                signal.setitimer(signal.ITIMER_REAL, 0.1, 0.1)
                return ended(s.connect, (silent, ECHO))
            except Alarm:
                late.append(time.monotonic() - due)
    return "alarm" if min(late) < 0.03 else f"alarm {late} late"


def under_signals():
    """Signals at any moment make no false success; few connects are lost to them, where
    the machine has the time for one between two signals."""
    for interval in 0.005, 0.02, 0.08, 0.32:
        echoes = under_signals_each(interval)
        if echoes == 200:
            break
    return f"{echoes} echoes"


def under_signals_each(interval):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.setitimer(signal.ITIMER_REAL, interval, interval)
    echoes = aborted = 0
    try:
        while echoes < 200 and aborted < 20:
            with stream(None) as s:
                try:
                    s.connect((address, ECHO))
                except ConnectionAbortedError:
                    aborted += 1
                    continue
                echoes += echo(s) == "hello"
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
    return echoes


def bound_before():
    with stream() as s:
        s.bind(("", 0))
        s.connect((address, ECHO))
        return echo(s)


def duplicated_before():
    with stream() as s, s.dup() as other:
        s.connect((address, ECHO))
        s.sendall(b"hello")
        return f"{other.recv(100).decode()} {other.getpeername() == s.getpeername()}"


def flags():
    with stream(None) as s, stream() as kept:
        s.connect((address, ECHO))
        kept.set_inheritable(True)
        kept.connect((address, ECHO))
        return f"{s.get_inheritable()} {s.getblocking()} {kept.get_inheritable()}"


def half_closed():
    with stream() as s:
        s.connect((address, ECHO))
        s.sendall(b"hello")
        s.shutdown(socket.SHUT_WR)
        return f"{s.makefile('rb').read().decode()} {code(attempted(s.send, b'x'))}"


def attempted(call, *arguments):
    try:
        return call(*arguments)
    except OSError as error:
        return error.errno


def large():
    with stream() as s:
        s.connect((address, ECHO))
        s.setblocking(False)
        block, sent, received = bytes(1 << 16), 0, 0
        while received < 8 << 20:
            readable, writable, _ = select.select([s], [s] if sent < 8 << 20 else [], [], 20)
            if writable:
                sent += s.send(block[:(8 << 20) - sent])
            if readable:
                received += len(s.recv(1 << 16))
        return received


attempt("blocking", blocking)
attempt("timeout", with_timeout)
attempt("non-blocking", not_blocking, ECHO)
attempt("non-blocking, refused", not_blocking, CLOSED)
attempt("second call", early_second_call)
attempt("refused", stream(None).connect, (address, CLOSED))
attempt("refused, then connected", refused_then_connected)
attempt("silence", silence)
attempt("SO_SNDTIMEO", send_timeout)
attempt("SO_RCVTIMEO", receive_timeout)
attempt("unreachable", stream(None).connect, (unreachable, ECHO))
attempt("reset", reset)
attempt("interrupted", interrupted)
attempt("signals", under_signals)
attempt("bound", bound_before)
attempt("duplicated", duplicated_before)
attempt("flags", flags)
attempt("half closed", half_closed)
attempt("large", large)
