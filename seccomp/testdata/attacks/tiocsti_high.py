# wants: ENOTTY
# Types a line into the terminal's own input, with a bit set that the kernel
# does not read.
import fcntl, select, termios

leader, follower = os.openpty()
os.setsid()
fcntl.ioctl(follower, termios.TIOCSCTTY, 0)


def type_line():
    for letter in b"id\n":
        call(16, follower, 0x5412 | HIGH, bytes([letter]))
    return bool(select.select([follower], [], [], 1)[0]) and os.read(follower, 16) == b"id\n"


attack(type_line)
