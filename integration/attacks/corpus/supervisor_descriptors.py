"""What the caller of pysandbox has open, the guest could have open as well.

attacks: the descriptors of the program
effect: the guest reads a file, or holds the listener of its own notifications
refused: EBADF
topic: stdio, leaked descriptors
"""

import os

from kit import effect, name, say

for number in range(3, 1024):
    try:
        link = os.readlink("/proc/self/fd/%d" % number)
    except OSError:
        continue
    say(number, link)
    if "seccomp" in link or "socket" in link:
        effect(link)
    try:
        os.lseek(number, 0, os.SEEK_SET)
        say(os.read(number, 4096).decode(errors="replace"))
    except OSError as error:
        say(name(error))
say("refused EBADF")
