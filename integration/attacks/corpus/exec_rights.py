"""A program with set-id bits or file capabilities gains them when it is executed.

attacks: nosuid mounts, no_new_privs, the empty bounding set
effect: the tool has another id or a capability
topic: setuid, file capabilities
"""

import os
import subprocess

from kit import effect, say, target

output = subprocess.run([target["tool"]], stdout=subprocess.PIPE, check=True).stdout.decode()
say(output)
uid, gid, capabilities = output.split()
if int(uid) != os.getuid() or int(gid) != os.getgid() or int(capabilities, 16) != 0:
    effect("gained")
