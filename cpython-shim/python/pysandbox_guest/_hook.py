"""An audit hook (PEP 578). It tells the supervisor from which line of the program
a connection or a program was asked for, and refuses early, in a sentence, what
the policy refuses anyway. Hostile code can take it away: what is denied stays
denied, only the words and the place are missing then.
"""
import os
import sys

OPERATIONS = {
    "socket.connect": "connect", "socket.bind": "bind",
    "subprocess.Popen": "execve", "os.posix_spawn": "execve", "os.exec": "execve",
}


def target_of(connection, address):
    """The target of a connect or bind as the kernel's records name it."""
    family = int(connection.family)
    if family == 1:
        return "unix:" + os.fsdecode(address)
    transport = "udp" if int(connection.type) & 15 == 2 else "tcp"
    host = address[0]
    return "%s://%s:%d" % (transport, "[%s]" % host if family == 10 else host, address[1])


def is_loopback(target):
    return target.startswith(
        ("unix:", "tcp://127.", "udp://127.", "tcp://[::1]", "udp://[::1]", "tcp://localhost:"))


def where():
    """The file and line of the program that asked."""
    frame = first = sys._getframe(2)
    library = os.path.dirname(os.__file__ or "\0")
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((library, "<frozen", "/.pysandbox")) or "-packages" in name:
            return "%s:%d" % (name, frame.f_lineno)
        frame = frame.f_back
    return "%s:%d" % (first.f_code.co_filename, first.f_lineno)


def install(refusals):
    """Adds the hook. refusals has, for each operation that the policy refuses as a
    whole, the rule and the flag that would allow it."""
    if sys.version_info < (3, 8):
        return

    def hook(event, args):
        operation = OPERATIONS.get(event)
        if operation is None:
            return
        try:
            target = os.fsdecode(args[0]) if operation == "execve" else target_of(*args[:2])
        except Exception:
            return  # an address of another form is for the kernel to judge
        rule, hint = refusals.get(operation, ("", ""))
        if operation == "connect" and is_loopback(target):
            rule = ""
        try:
            from ._codec import encode
            place = where()
            words = [operation, target, rule, "EACCES" if rule else "", place]
            os.write(3, encode([8] + [w[:1000].encode("utf-8", "replace").decode() for w in words]))
        except Exception:
            pass  # advice that cannot be given is not worth an error
        if rule:
            raise PermissionError(13, "the sandbox's policy denies %s %s (%s); allow it with %s" % (
                operation, target, rule, hint.replace("TARGET", target)))

    sys.addaudithook(hook)
