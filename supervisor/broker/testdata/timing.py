"""Prints the median and the 99th percentile, in microseconds, of one kind of
connect as a program sees it.

    timing.py KIND COUNT HOST PORT
"""
import socket
import sys
from time import perf_counter_ns

kind, count, host, port = sys.argv[1], int(sys.argv[2]), sys.argv[3], int(sys.argv[4])
server = None
if kind == 'loopback':
    server = socket.create_server(('127.0.0.1', 0), backlog=4096)
    host, port = server.getsockname()
address = (host, port)
times = []
for _ in range(count):
    s = socket.socket()
    if kind == 'nonblocking':
        s.setblocking(False)
    start = perf_counter_ns()
    s.connect_ex(address)
    times.append(perf_counter_ns() - start)
    s.close()
    if server:
        server.accept()[0].close()
times.sort()
print(times[count // 2] / 1000, times[count * 99 // 100] / 1000)
