"""Ways to start a program that an audit hook does not see.

attacks: exec, and what a program that was started could see
effect: the program that was started prints what is in the file
refused: ENOENT, EACCES, EPERM
topic: escape corpus, audit bypass: fork_exec
"""

import os
import subprocess
import sys

from kit import attempt, how, say, target

PRINT = "print(open(%r).read())" % target["secret"]
CAT = ["/bin/cat", target["secret"]]


def hooked(event, _):
    if event.startswith(("subprocess", "os.")) or event == "open":
        raise PermissionError(13, "by the hook")


def fork_exec():
    import _posixsubprocess
    reader, writer = os.pipe()
    arguments = [CAT, [CAT[0].encode()], True, (writer,), None, None, -1, -1, -1, -1, -1, -1, reader, writer,
                 False, False]
    if sys.version_info >= (3, 14):
        arguments += [0, None, None, None, -1, None]
    elif sys.version_info >= (3, 11):
        arguments += [0, None, None, None, -1, None, True]
    elif sys.version_info >= (3, 9):
        arguments += [None, None, None, -1, None]
    else:
        arguments += [None]
    pid = _posixsubprocess.fork_exec(*[[w.encode() for w in CAT], *arguments[1:]])
    if os.waitpid(pid, 0)[1] != 0:
        raise PermissionError(13, "the child has not found it, or cannot run")


def shell():
    if os.system("cat '%s'" % target["secret"]) != 0:
        raise PermissionError(13, "the shell has not found it, or cannot run")


def fork():
    pid = os.fork()
    if pid == 0:
        try:
            os.execv(CAT[0], CAT)
        finally:
            os._exit(1)
    if os.waitpid(pid, 0)[1] != 0:
        raise PermissionError(13, "the child has not found it, or cannot run")


WAYS = {
    "fork_exec": fork_exec,
    "shell": shell,
    "fork": fork,
    "spawn": lambda: os.waitpid(os.posix_spawn(CAT[0], CAT, {}), 0)[1] and attempt_failed(),
    "subprocess": lambda: subprocess.run(CAT, check=True),
    "interpreter": lambda: subprocess.run([sys.executable, "-c", PRINT], check=True),
}


def attempt_failed():
    raise FileNotFoundError(2, "the child has not found it")


if how == "fork_exec":
    sys.addaudithook(hooked)
with attempt():
    try:
        WAYS[how]()
    except subprocess.CalledProcessError:
        say("refused ENOENT")
