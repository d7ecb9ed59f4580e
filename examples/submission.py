"""What a student hands in or a model writes: useful, and a little curious.

    pysandbox exec examples/submission.py
"""

import socket


def fibonacci(n: int) -> int:
    a, b = 0, 1
    for _ in range(n):
        a, b = b, a + b
    return a


print("fibonacci(20) =", fibonacci(20))

try:
    print(open("/etc/shadow").read())
except OSError as error:
    print("reading secrets:", error)

try:
    socket.create_connection(("192.0.2.7", 443), timeout=1)
except OSError as error:
    print("calling home:", error)
