"""An audit hook (PEP 578) that tells the supervisor where in the program a
network or process operation was asked for. Hostile code can take it away; what
is denied stays denied, only the place is missing from the report then.
"""
import os
import sys


def target_of(args):
    """The target of a connect or bind as the kernel's records name it."""
    family, address = args[0].family, args[1]
    if int(family) == 1:
        return "unix:" + os.fsdecode(address)
    transport = "udp" if int(args[0].type) & 15 == 2 else "tcp"
    host = address[0]
    return "%s://%s:%d" % (transport, "[%s]" % host if ":" in host else host, address[1])


def where():
    """The file, line and function of the program that asked."""
    frame = sys._getframe(2)
    library = os.path.dirname(os.__file__) if hasattr(os, "__file__") else "\0"
    first = frame
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((library, "<frozen", "/.pysandbox")):
            return "%s:%d" % (name, frame.f_lineno)
        frame = frame.f_back
    return "%s:%d" % (first.f_code.co_filename, first.f_lineno)


def install():
    if sys.version_info < (3, 8):
        return
    encode = None

    def hook(event, args):
        nonlocal encode
        if event == "socket.connect" or event == "socket.bind":
            operation = event[7:]
        elif event == "subprocess.Popen" or event == "os.posix_spawn" or event == "os.exec":
            operation = "execve"
        else:
            return
        try:
            if encode is None:
                from ._codec import encode
            target = target_of(args) if operation != "execve" else os.fsdecode(args[0])
            note = [8, operation, target, "", "", where()]
            os.write(3, encode([note[0]] + [w[:1000] for w in note[1:]]))
        except Exception:
            pass  # advice that cannot be given is not worth an error

    sys.addaudithook(hook)
