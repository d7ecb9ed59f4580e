"""/proc of the host shows every process, its command line and its environment.

attacks: the PID namespace and the mount of /proc
effect: the number of a process of the host is listed
refused: ENOENT
topic: /proc, own processes only
"""

import os

from kit import attempt, effect, target

with attempt():
    os.stat("/proc/%d/cmdline" % target["pid"])
if str(target["pid"]) in os.listdir("/proc"):
    effect("listed")
