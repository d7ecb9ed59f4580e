"""An audit hook (PEP 578). It tells the supervisor from where in the program
something was asked for, and refuses early, in a sentence, what the policy refuses
anyway. Hostile code can take it away: what is denied stays denied, with the same
kind of error; only the words and the place are missing then.
"""
import errno
import os
import sys
from _thread import get_ident

from ._place import note

_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT
# The sandbox's own file systems: no flag lets their programs start.
_INSIDE = ("/tmp/", "/dev/", "/proc/", "/home/sandbox/")
# Addresses for which there may be no hint, which the supervisor knows best: metadata
# services, groups, and IPv6 that is no global unicast.
_SPECIAL = ("169.254.", "168.63.129.16:", "100.100.100.200:", "192.0.0.", "[2002:") + tuple(
    "%d." % first for first in range(224, 256))


def install(told):
    """Adds the hook. told is what the policy says, as Told has it."""
    if sys.version_info < (3, 8):
        return
    hook = Hook(told)
    judges = {
        "socket.connect": hook.connect, "socket.sendto": hook.send, "socket.bind": hook.bind,
        "socket.getaddrinfo": hook.resolve, "socket.gethostbyname": hook.resolve,
        "subprocess.Popen": hook.spawn, "os.posix_spawn": hook.spawn, "os.exec": hook.spawn,
        "os.system": hook.system, "open": hook.open,
    }

    def audit(event, args):
        judge = judges.get(event)
        if judge is not None:
            judge(*args)

    sys.addaudithook(audit)


class Told:
    """What the guest is told of the policy: refusals by kind ("tcp", "udp", "resolve"
    or "execve") with the name of the errno, the rule and what would allow it; the
    ranges of ports that some rule allows by transport; where there is anything to
    read, or to write; and what no rule may name or cover, for writing ("fixed") or at
    all ("own"). Each path has a slash at its end."""

    def __init__(self):
        self.refusals, self.ports = {}, {"tcp": [], "udp": []}
        self.read, self.write, self.own, self.fixed = [], [], [], []

    def take(self, word, rest):
        """One line of the file of rules."""
        if word == "refuse":
            kind, error, rule, hint = rest.split(" ", 3)
            self.refusals[kind] = (error, rule, hint)
        elif word == "port":
            kind, first, last = rest.split(" ")
            self.ports[kind].append((int(first), int(last)))
        else:
            getattr(self, word).append(rest)


class Hook:
    """The judgements. They use what the interpreter has loaded already."""

    def __init__(self, told):
        self.refusals, self.ports = told.refusals, told.ports
        self.read, self.write = tuple(told.read), tuple(told.write)
        self.own, self.fixed = told.own, tuple(told.fixed)
        self.trying = set()  # threads in which an event is our own doing

    # The network

    def connect(self, connection, address):
        target, kind = target_of(connection, address)
        # A datagram socket without a route gets another error than a connection.
        told = kind == "tcp" and not wants_number(sys._getframe(2))
        self._reach("connect", target, kind if told else None, address)

    def send(self, connection, address=None):
        target, kind = target_of(connection, address)
        if kind == "udp":
            self._reach("sendto", target, kind, address)

    def bind(self, connection, address):
        target, _ = target_of(connection, address)
        if target:
            note("bind", target)

    def _reach(self, operation, target, kind, address):
        if not target:
            return  # an address of another form is for the kernel to judge
        refusal = self.refusals.get(kind)
        if refusal is None or is_loopback(target) or is_special(target) or any(
                first <= address[1] <= last for first, last in self.ports[kind]):
            note(operation, target)
            return
        error, rule, hint = refusal
        note(operation, target, rule, error)
        raise OSError(getattr(errno, error), denies(operation, target, rule, hint))

    def resolve(self, host, *_):
        refusal = self.refusals.get("resolve")
        name = os.fsdecode(host or "")
        if refusal is None or not name or name == "localhost" or is_address(name):
            return
        error, rule, hint = refusal
        note("resolve", name, rule, error)
        from _socket import EAI_NONAME, gaierror
        raise gaierror(EAI_NONAME, denies("resolve", name, rule, hint))

    # Programs

    def spawn(self, program, *_):
        """The supervisor knows which programs there are outside, and only it does."""
        program = os.fsdecode(program)
        if get_ident() in self.trying:
            return
        places = [program]
        if "/" not in program:
            places = [os.path.join(place, program) for place in os.get_exec_path()]
        refusal = self.refusals.get("execve")
        if refusal is None or any(map(is_own, places)):
            note("execve", program)
            return
        for place in places:
            note("execve", place)
            if self._attempt(os.posix_spawn, place, [place], {}) == errno.EACCES:
                rule, hint = refusal[1:]
                if place.startswith(_INSIDE):
                    hint = ""
                raise PermissionError(errno.EACCES, denies("execve", place, rule, hint), program)

    def system(self, *_):
        note("execve", "/bin/sh")  # which os.system says by a status, not by an error

    # Files

    def open(self, path, _, flags):
        roots = self.write if flags & _WRITES else self.read
        if type(path) is int or type(path) is str and path.startswith(roots) or get_ident() in self.trying:
            return
        name = os.path.realpath(os.fsdecode(path))
        if (name + "/").startswith(roots):
            return
        # Nothing there can be opened, so an attempt does no harm.
        number = self._attempt(os.open, name, flags, 0o600)
        if not flags & _WRITES and number == errno.ENOENT and self._suggests(name, self.own):
            raise FileNotFoundError(
                number, "no such file in the sandbox; if the host has it and you may read it, allow it with "
                "--allow-read=%s (files.read)" % name, path)
        if flags & _WRITES and number in (errno.EACCES, errno.EROFS, errno.ENOENT):
            note("open", name, "files.write", errno.errorcode[number])
            directory, hint = os.path.dirname(name), ""
            if self._suggests(directory, self.own) and self._suggests(directory, self.fixed) and not (
                    directory + "/").startswith(self.fixed):
                hint = "--allow-write=%s where you may write yourself" % directory
            raise OSError(number, denies("writing", name, "files.write", hint), path)

    def _suggests(self, name, covered):
        """Whether a rule may name this: it does not cover what has its place already."""
        top = name.rstrip("/") + "/"
        return not any(place.startswith(top) for place in covered)

    def _attempt(self, function, *args):
        """The errno of what cannot succeed, or 0 for another one."""
        self.trying.add(get_ident())
        try:
            function(*args)
        except OSError as problem:
            return problem.errno
        except Exception:
            pass
        finally:
            self.trying.discard(get_ident())
        return 0


def denies(operation, target, rule, hint):
    """The sentence; without a hint where nothing would allow it."""
    return "the sandbox's policy denies %s %s (%s)%s" % (
        operation, target, rule, hint and "; allow it with " + hint.replace("TARGET", target))


def target_of(connection, address):
    """The target of a call as the kernel's records name it, and its transport."""
    try:
        family = int(connection.family)
        if family == 1:
            return "unix:" + os.fsdecode(address), None
        kind = "udp" if int(connection.type) & 15 == 2 else "tcp"
        host = "[%s]" % address[0] if family == 10 else address[0]
        return "%s://%s:%d" % (kind, host, address[1]), kind
    except Exception:
        return "", None


def wants_number(frame):
    """Whether the code that asks knows connect_ex, which returns an error and raises none,
    and has the same event as connect. frame: of the function that called either."""
    return "connect_ex" in frame.f_code.co_names


def is_loopback(target):
    return target.partition("://")[2].startswith(
        ("127.", "0.0.0.0:", "localhost:", "[::1]", "[::]", "[::ffff:127."))


def is_special(target):
    host = target.partition("://")[2]
    return host.startswith(_SPECIAL) or host[:1] == "[" and host[1:2] != "2"


def is_address(name):
    from _socket import AF_INET, AF_INET6, inet_pton
    for family in (AF_INET, AF_INET6):
        try:
            inet_pton(family, name.partition("%")[0])
            return True
        except OSError:
            pass
    return False


def is_own(program):
    """Whether a program is the interpreter that runs this, which may run again."""
    try:
        return os.path.realpath(program) == os.readlink("/proc/self/exe")
    except OSError:
        return False
