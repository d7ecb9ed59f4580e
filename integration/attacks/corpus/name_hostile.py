"""Names and arguments with what a terminal obeys, or what breaks a line.

attacks: the words of pysandbox on the terminal, the report, the audit stream
effect: see the test, which looks at every byte
topic: hostile names
"""

import os
import socket
import subprocess
import sys

from kit import attempt, target

sys.stderr = open(os.devnull, "w")
NAME = os.fsencode(target["name"].encode("latin-1"))

directory = os.fsencode(target["visible"])
for path in (directory + b"/" + NAME, b"\0" + NAME):
    with attempt(), socket.socket(socket.AF_UNIX) as s:
        s.connect(path)
with attempt():
    path = b"/tmp/" + NAME
    with open(path, "w") as file:
        file.write("#!/bin/sh\n")
    os.chmod(path, 0o755)
    subprocess.run([path, NAME], check=False)
with attempt():
    os.execve(directory + b"/" + NAME + b"x", [NAME], {NAME: NAME})
with attempt():
    os.chdir("/tmp")
    os.mkdir(NAME)
    os.chdir(NAME)
    socket.socket().connect(("203.0.113.9", 443))
