# layers: base ipc subprocess
import os, pty, sys, termios, tty

leader, follower = pty.openpty()
tty.setraw(follower)
termios.tcgetattr(follower), os.ttyname(follower), os.isatty(leader)
child, fd = pty.fork()
if child == 0:
    os.write(1, b"on a terminal" if sys.stdin.isatty() else b"not on a terminal")
    os._exit(0)
assert os.read(fd, 64) == b"on a terminal"
os.waitpid(child, 0)
