"""A second listener would answer the guest's calls in the supervisor's place.

attacks: the notifications of seccomp
effect: the kernel gives the process a listener
refused: EPERM, EBUSY, EINVAL
topic: supervisor as target, own NEW_LISTENER
"""

import ctypes
import struct

from kit import attempt, effect, how, libc, syscall

SECCOMP, SET_MODE_FILTER, NEW_LISTENER = 317, 1, 8
TSYNC, TSYNC_ESRCH, WAIT_KILLABLE = 1, 16, 32
USER_NOTIF = 0x7fc00000

FLAGS = {
    "listener": NEW_LISTENER,
    "listener with tsync": NEW_LISTENER | TSYNC | TSYNC_ESRCH,
    "killable listener": NEW_LISTENER | WAIT_KILLABLE,
}

libc.prctl(38, 1, 0, 0, 0)
code = ctypes.create_string_buffer(struct.pack("=HBBI", 6, 0, 0, 0x7fff0000))
program = ctypes.create_string_buffer(struct.pack("=HxxxxxxQ", 1, ctypes.addressof(code)))
with attempt():
    effect(syscall(SECCOMP, SET_MODE_FILTER, FLAGS[how], program))
