"""The interpreter or its library is changed, for the next run or for the host.

attacks: the mounts of the interpreter
effect: a file of it can be opened for writing, or a new one made beside it
refused: EROFS, EACCES, EPERM, ETXTBSY, ENOENT
topic: writable interpreter, .pth, sitecustomize
"""

import glob
import os
import ssl
import sys
import sysconfig

from kit import attempt, effect, inside

FILES = [sys.executable, os.path.realpath(sys.executable), os.__file__, ssl._ssl.__file__,
         *glob.glob("/lib/x86_64-linux-gnu/libc.so.6"), "/lib64/ld-linux-x86-64.so.2", "/etc/passwd",
         "/etc/resolv.conf", "/etc/ld.so.cache", "/etc/ld.so.preload"]
DIRECTORIES = [*sys.path[1:], sysconfig.get_paths()["purelib"], os.path.dirname(sys.executable),
               "/etc", "/lib", "/"]

for path in FILES:
    with attempt():
        os.close(os.open(path, os.O_WRONLY | os.O_APPEND))
        effect(path)
if inside:  # outside, root would succeed and leave files behind
    for directory in DIRECTORIES:
        for new in ("/sitecustomize.py", "/attack.pth"):
            with attempt():
                os.close(os.open(directory + new, os.O_WRONLY | os.O_CREAT, 0o644))
                effect(directory + new)
