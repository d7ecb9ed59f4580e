"""Owners, capabilities and devices that only root may give to a file.

attacks: the ids and capabilities of the program
effect: the host sees another owner, a file capability, or a device
refused: EPERM, EINVAL, EOPNOTSUPP, EACCES
topic: set-id bits, file capabilities, devices
"""

import os
import struct

from kit import attempt, how, target

FILE, NEW = target["visible"] + "/file", target["visible"] + "/new"

with attempt():
    if how == "owner":
        os.chown(FILE, 0, -1)
    elif how == "other owner":
        os.chown(FILE, 4321, 4321)
    elif how == "group":
        os.chown(FILE, -1, 0)
    elif how == "capability":
        os.setxattr(FILE, "security.capability", struct.pack("<IIIII", 0x02000001, 0xffffffff, 0, 0, 0))
    elif how == "trusted":
        os.setxattr(FILE, "trusted.attack", b"x")
    elif how == "block device":
        os.mknod(NEW, 0o060666, os.makedev(254, 0))
    elif how == "character device":
        os.mknod(NEW, 0o020666, os.makedev(1, 1))
