"""What a program sees of its sockets, one line per case.

Run natively and in a sandbox that allows HOST4, HOST6 and the refused port; the
lines must be the same.

    cases.py HOST4 PORT4 HOST6 PORT6 CLOSED DARK UNREACHABLE ABSENT NOWHERE
"""
import array
import asyncio
import errno
import fcntl
import os
import select
import signal
import socket
import struct
import sys
import threading
import time

host4, port4, host6, port6, closed, dark, unreachable, absent, nowhere = sys.argv[1:]
port4, port6, closed = int(port4), int(port6), int(closed)
server4 = (host4, port4)
CASES = []


def case(function):
    CASES.append(function)
    return function


def outcome(function, *args):
    try:
        return function(*args)
    except OSError as e:
        return '%s %s' % (type(e).__name__, errno.errorcode.get(e.errno, e))


def echo(s):
    s.setblocking(True)
    s.sendall(b'ping')
    return s.recv(4).decode()


def tcp(family=socket.AF_INET, blocking=True):
    s = socket.socket(family, socket.SOCK_STREAM)
    s.setblocking(blocking)
    return s


def begin(s, address=server4):
    """Starts a non-blocking connect; EINPROGRESS and success are both right."""
    error = s.connect_ex(address)
    return 'begun' if error in (0, errno.EINPROGRESS) else errno.errorcode[error]


@case
def blocking():
    s = tcp()
    s.connect(server4)
    return echo(s), s.getpeername() == server4


@case
def inet6():
    s = tcp(socket.AF_INET6)
    s.connect((host6, port6))
    return echo(s), s.getpeername()[0]


@case
def mapped():
    s = tcp(socket.AF_INET6)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
    s.connect(('::ffff:' + host4, port4))
    return echo(s), s.getpeername()[0]


@case
def v6only_is_kept():
    s = tcp(socket.AF_INET6)
    s.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    return outcome(s.connect, ('::ffff:' + host4, port4))


@case
def connected_twice():
    s = tcp()
    s.connect(server4)
    return outcome(s.connect, server4), echo(s)


@case
def nonblocking_poll():
    s = tcp(blocking=False)
    begun = begin(s)
    p = select.poll()
    p.register(s, select.POLLOUT)
    ready = [event for _, event in p.poll(5000)]
    return begun, ready, s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR), echo(s)


@case
def nonblocking_connect_again():
    s = tcp(blocking=False)
    begin(s)
    select.select([], [s], [], 5)
    first = s.connect_ex(server4)
    return first in (0, errno.EISCONN), errno.errorcode[s.connect_ex(server4)]


@case
def refused():
    return outcome(tcp().connect, (host4, closed))


@case
def refused_nonblocking():
    s = tcp(blocking=False)
    error = s.connect_ex((host4, closed))
    if error == errno.EINPROGRESS:
        select.select([], [s], [], 5)
        error = s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
    return errno.errorcode[error]


@case
def refused_then_connected():
    s = tcp()
    return outcome(s.connect, (host4, closed)), outcome(s.connect, server4), echo(s)


@case
def no_route():
    return outcome(tcp().connect, (unreachable, 80))


@case
def no_network():
    return outcome(tcp().connect, (nowhere, 80))


@case
def no_neighbour():
    """The error comes after the call has begun to wait."""
    return outcome(tcp().connect, (absent, 80))


@case
def no_neighbour_nonblocking():
    s = tcp(blocking=False)
    begun = begin(s, (absent, 80))
    select.select([], [s], [], 5)
    return begun, errno.errorcode[s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)]


@case
def timeout_of_python():
    s = tcp()
    s.settimeout(0.2)
    return outcome(s.connect, (dark, 80))


@case
def send_timeout():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 0, 200000))
    start = time.monotonic()
    result = outcome(s.connect, (dark, 80))
    return result, 0.1 < time.monotonic() - start < 1


@case
def send_timeout_then_again():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 0, 100000))
    return outcome(s.connect, (dark, 80)), outcome(s.connect, (dark, 80))


def epoll_before(flags):
    s = tcp(blocking=False)
    e = select.epoll()
    e.register(s, flags)
    begin(s)
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        events = [x for _, x in e.poll(5)]
        if events and not events[0] & select.EPOLLHUP:
            break
    e.modify(s, select.EPOLLIN)
    os.write(s.fileno(), b'x')
    more = [(fd == s.fileno(), x) for fd, x in e.poll(5)]
    e.unregister(s)
    return events, more


@case
def epoll_level():
    return epoll_before(select.EPOLLOUT)


@case
def epoll_edge():
    return epoll_before(select.EPOLLOUT | select.EPOLLET)


@case
def epoll_oneshot():
    s = tcp(blocking=False)
    e = select.epoll()
    e.register(s, select.EPOLLIN | select.EPOLLONESHOT)
    e.poll(0)  # a fresh socket hangs up, which disarms the entry
    begin(s)
    e.modify(s, select.EPOLLOUT | select.EPOLLONESHOT)
    return [x for _, x in e.poll(5)], [x for _, x in e.poll(0)]


@case
def epoll_in_another_thread():
    s, e, seen = tcp(blocking=False), select.epoll(), []
    e.register(s, select.EPOLLIN | select.EPOLLET)
    e.poll(0)

    def wait():
        for _ in range(50):
            for _, event in e.poll(0.1):
                if event & select.EPOLLIN and not event & select.EPOLLHUP:
                    seen.append('in')
                    return

    t = threading.Thread(target=wait)
    t.start()
    time.sleep(0.05)
    begin(s)
    select.select([], [s], [], 5)
    s.send(b'x')
    t.join()
    return seen


@case
def epoll_of_a_duplicate():
    s = tcp(blocking=False)
    other = s.dup()
    e = select.epoll()
    e.register(other, select.EPOLLIN | select.EPOLLET)
    e.poll(0)
    begin(s)
    select.select([], [s], [], 5)
    s.send(b'x')
    return [(fd == other.fileno(), x) for fd, x in e.poll(5)]


@case
def duplicate():
    s = tcp()
    other = s.dup()
    s.connect(server4)
    return echo(other), other.getpeername() == server4, os.path.sameopenfile(s.fileno(), other.fileno())


@case
def duplicate_high():
    s = tcp()
    fd = fcntl.fcntl(s.fileno(), fcntl.F_DUPFD, 90)
    s.connect(server4)
    return echo(socket.socket(fileno=fd))


@case
def duplicate_over():
    s, pipe = tcp(), os.pipe()
    os.dup2(s.fileno(), pipe[0])
    s.connect(server4)
    return echo(socket.socket(fileno=pipe[0]))


@case
def close_on_exec():
    s = tcp()
    other = s.dup()
    os.set_inheritable(other.fileno(), True)
    s.connect(server4)
    return s.get_inheritable(), other.get_inheritable()


@case
def number_stays():
    s = tcp()
    before = s.fileno()
    s.connect(server4)
    return before == s.fileno(), s.getblocking()


@case
def options():
    s = tcp()
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, 77)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack('ii', 1, 3))
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack('ll', 7, 0))
    s.setsockopt(socket.IPPROTO_IP, socket.IP_TOS, 0x10)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 40000)
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.setsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, b'reno')
    s.connect(server4)
    return (
        [s.getsockopt(*o) for o in (
            (socket.IPPROTO_TCP, socket.TCP_NODELAY), (socket.SOL_SOCKET, socket.SO_KEEPALIVE),
            (socket.IPPROTO_TCP, socket.TCP_KEEPIDLE), (socket.IPPROTO_IP, socket.IP_TOS),
            (socket.SOL_SOCKET, socket.SO_SNDBUF), (socket.SOL_SOCKET, socket.SO_REUSEADDR))],
        s.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8), s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, 16),
        s.getsockopt(socket.IPPROTO_TCP, socket.TCP_CONGESTION, 16))


@case
def default_buffers():
    s = tcp()
    s.connect(server4)
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF)


def alarm(seconds, restart):
    signal.signal(signal.SIGALRM, lambda *_: None)
    signal.siginterrupt(signal.SIGALRM, not restart)
    signal.setitimer(signal.ITIMER_REAL, seconds)


LIBC = None


def raw_connect(s, address):
    """connect(2) without Python's own handling of EINTR."""
    global LIBC
    import ctypes
    LIBC = LIBC or ctypes.CDLL(None, use_errno=True)
    raw = struct.pack('=HH4s8x', socket.AF_INET, socket.htons(address[1]), socket.inet_aton(address[0]))
    if LIBC.connect(s.fileno(), raw, len(raw)) == 0:
        return 'connected'
    return errno.errorcode[ctypes.get_errno()]


@case
def signal_interrupts():
    s = tcp()
    alarm(0.2, restart=False)
    start = time.monotonic()
    return raw_connect(s, (dark, 80)), time.monotonic() - start < 1, raw_connect_state(s)


def raw_connect_state(s):
    s.setblocking(False)
    return errno.errorcode[s.connect_ex((dark, 80))]


@case
def signal_restarts():
    s, done = tcp(), []
    alarm(0.2, restart=True)
    t = threading.Timer(0.6, lambda: done.append(outcome(s.shutdown, socket.SHUT_RDWR)))
    t.start()
    start = time.monotonic()
    result = raw_connect(s, (dark, 80))
    t.join()
    return result, time.monotonic() - start > 0.5


@case
def signal_with_send_timeout():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 5, 0))
    alarm(0.2, restart=True)
    return raw_connect(s, (dark, 80))


@case
def python_interrupted():
    class Stop(Exception):
        pass

    def stop(*_):
        raise Stop

    signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, 0.2)
    try:
        tcp().connect((dark, 80))
    except Stop:
        return 'stopped'


def put_null(number):
    """Closes a descriptor and gives its number to another file."""
    os.close(number)
    null = os.open('/dev/null', os.O_RDWR)
    if null != number:
        os.dup2(null, number)
        os.close(null)


@case
def number_reused_while_connecting():
    s = tcp()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 2, 0))
    t = threading.Timer(0.5, put_null, (s.fileno(),))  # when the connect has surely begun
    t.start()
    result = raw_connect(s, (dark, 80))
    t.join()
    return result, os.fstat(s.fileno()).st_rdev == os.stat('/dev/null').st_rdev


@case
def number_reused_then_connected():
    s = tcp()
    put_null(s.fileno())
    return raw_connect(s, server4), os.fstat(s.fileno()).st_rdev == os.stat('/dev/null').st_rdev


@case
def shutdown_by_another_thread():
    s = tcp()
    threading.Timer(0.2, s.shutdown, (socket.SHUT_RDWR,)).start()
    return outcome(s.connect, (dark, 80))


@case
def unspecified_disconnects():
    s = tcp()
    s.connect(server4)
    import ctypes
    raw = struct.pack('=H14x', socket.AF_UNSPEC)
    libc = ctypes.CDLL(None, use_errno=True)
    result = libc.connect(s.fileno(), raw, len(raw))
    return result, outcome(s.getpeername), outcome(s.connect, server4), echo(s)


@case
def loopback():
    server = socket.create_server(('127.0.0.1', 0))
    s = socket.create_connection(server.getsockname())
    peer, address = server.accept()
    s.sendall(b'in')
    return peer.recv(2), address == s.getsockname(), s.getpeername() == server.getsockname()


@case
def loopback6():
    server = socket.create_server(('::1', 0), family=socket.AF_INET6)
    s = tcp(socket.AF_INET6)
    s.connect(server.getsockname())
    return server.accept()[1][:2] == s.getsockname()[:2]


@case
def loopback_by_any_address():
    server = socket.create_server(('0.0.0.0', 0))
    s = tcp()
    s.connect(('0.0.0.0', server.getsockname()[1]))
    return server.accept()[1] == s.getsockname()


@case
def loopback_refused():
    s = tcp()
    s.bind(('127.0.0.1', 0))
    return outcome(tcp().connect, s.getsockname())


@case
def loopback_full_queue():
    server = tcp()
    server.bind(('127.0.0.1', 0))
    server.listen(0)
    first = tcp()
    first.connect(server.getsockname())
    second = tcp()
    second.settimeout(0.2)
    third = tcp()
    third.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack('ll', 0, 200000))
    return outcome(second.connect, server.getsockname()), outcome(third.connect, server.getsockname())


@case
def loopback_waits_for_room():
    server = tcp()
    server.bind(('127.0.0.1', 0))
    server.listen(0)
    held = [tcp()]
    held[0].connect(server.getsockname())

    def accept():
        held.append(server.accept()[0])
        held.append(server.accept()[0])

    t = threading.Timer(0.2, accept)
    t.start()
    s = tcp()
    s.connect(server.getsockname())
    t.join()
    return s.getpeername() == server.getsockname()


@case
def bind_errors():
    server = tcp()
    server.bind(('127.0.0.1', 0))
    return (outcome(tcp().bind, server.getsockname()), outcome(tcp().bind, ('203.0.113.77', 0)),
            outcome(server.bind, ('127.0.0.1', 0)))


@case
def bind_port_zero_then_connect():
    s = tcp()
    s.bind(('', 0))
    s.connect(server4)
    return echo(s)


@case
def bind_loopback_then_connect():
    s = tcp()
    s.bind(('127.0.0.1', 0))
    return outcome(s.connect, server4)


@case
def listen_then_connect():
    s = tcp()
    s.bind(('127.0.0.1', 0))
    s.listen()
    return outcome(s.connect, server4)


@case
def listen_when_connected():
    s = tcp()
    s.connect(server4)
    return outcome(s.listen), outcome(s.bind, ('127.0.0.1', 0)), echo(s)


@case
def refused_then_listening_inside():
    s = tcp()
    s.connect_ex((host4, closed))
    s.listen()
    inside = tcp()
    inside.connect(('127.0.0.1', s.getsockname()[1]))
    return s.accept()[1] == inside.getsockname()


@case
def wrong_arguments():
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    s = tcp()
    raw = struct.pack('=HH4s8x', socket.AF_INET, socket.htons(port4), socket.inet_aton(host4))

    def call(*args):
        return errno.errorcode.get(ctypes.get_errno()) if libc.connect(*args) else 0

    regular = os.open('/dev/null', os.O_RDONLY)
    return (call(-1, raw, 16), call(9999, raw, 16), call(regular, raw, 16), call(s.fileno(), raw, -1),
            call(s.fileno(), raw, 129), call(s.fileno(), raw, 8), call(s.fileno(), raw, 1),
            call(s.fileno(), 8, 16), call(s.fileno(), struct.pack('=H14x', socket.AF_INET6), 16))


@case
def udp_connect_to_sort():
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    return outcome(s.connect, ('127.0.0.1', 53)), s.getsockname()[0]


@case
def udp_inside():
    a, b = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    a.bind(('127.0.0.1', 0))
    b.sendto(b'datagram', a.getsockname())
    data, address = a.recvfrom(100)
    a.sendto(b'back', address)
    return data, b.recv(10), outcome(b.sendto, b'x' * 70000, a.getsockname())


@case
def fresh_socket_has_no_error():
    s = tcp(blocking=False)
    return s.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)


@case
def asyncio_streams():
    async def one():
        reader, writer = await asyncio.open_connection(*server4)
        writer.write(b'ping')
        data = await reader.readexactly(4)
        writer.close()
        return data

    async def many():
        return len(set(await asyncio.gather(*(one() for _ in range(100)))))

    return asyncio.run(many())


@case
def many_threads():
    done = []

    def work():
        for _ in range(15):
            with socket.create_connection(server4) as s:
                done.append(echo(s))

    threads = [threading.Thread(target=work) for _ in range(32)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    return len(done), set(done)


@case
def many_processes():
    children = []
    for _ in range(4):
        pid = os.fork()
        if pid == 0:
            try:
                for _ in range(50):
                    with socket.create_connection(server4) as s:
                        assert echo(s) == 'ping'
                os._exit(0)
            finally:
                os._exit(1)
        children.append(pid)
    return [os.waitpid(pid, 0)[1] for pid in children]


@case
def urgent_data():
    s = tcp()
    s.connect(server4)
    return s.send(b'!', socket.MSG_OOB)


@case
def sendto_on_a_stream():
    s = tcp()
    s.connect(server4)
    return s.sendto(b'ping', server4), s.recv(4)


def main():
    for function in CASES:
        print(function.__name__, outcome(function), flush=True)


main()
