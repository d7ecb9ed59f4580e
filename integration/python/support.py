"""What the tests of the Python side share."""
import os
import shutil
import signal
import sys
import tempfile
import threading
import time
import unittest
from contextlib import ExitStack
from unittest import mock

from pysandbox import Sandbox, connection, expose, facet, process, reference, sandbox

GUESTS = [path for path in os.environ.get("PYSANDBOX_GUESTS", "").split(":") if path]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))

# A guest that takes no interrupt.
STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n"

# Seconds for what happens at some time: a busy machine says when. What would never
# happen takes as long.
PATIENCE = 60.0

# How long the package waits for a guest or a supervisor before it goes on without.
# Tests of anything else are not about that.
_OWN = [(connection, "GRACE"), (process, "MARK_PATIENCE"), (process, "KILL_PATIENCE"),
        (process, "END_PATIENCE"), (process, "REPORT_PATIENCE"), (sandbox, "PATIENCE")]
_HASTE = [(module, name, getattr(module, name)) for module, name in _OWN]
for _module, _name in _OWN:
    setattr(_module, _name, PATIENCE)


def hasty(*names):
    """The package's own times, all or those that are named: for what it ends itself."""
    stack = ExitStack()
    for module, name, seconds in _HASTE:
        if not names or name in names:
            stack.enter_context(mock.patch.object(module, name, seconds))
    return stack


def longer():
    """Deadlines for code that has to have begun by then: on a busy machine the first is
    too short. Who has seen it begin leaves the loop."""
    for seconds in (0.5, 2, 8, 32):
        yield seconds
    raise AssertionError("nothing has begun within %g seconds" % seconds)


def eventually(condition):
    """Waits until condition() is true. Whether it is."""
    until = time.monotonic() + PATIENCE
    while not condition() and time.monotonic() < until:
        time.sleep(0.005)
    return condition()


def waits_in(thread, function):
    """Whether the innermost Python function of a thread is function: where that does
    nothing but wait, the thread waits."""
    frame = sys._current_frames().get(thread.ident)
    return frame is not None and frame.f_code is getattr(function, "__code__", None)


def signal_while_in(function, number, before=lambda: True, after=lambda: None):
    """Sends a signal to this process once its main thread, the caller, waits in a
    function; something before that is waited for, and something is done after it."""
    main = threading.main_thread()

    def send():
        if before() and eventually(lambda: waits_in(main, function)):
            time.sleep(0.1)  # it may be a step before its wait
            signal.pthread_kill(main.ident, number)
        after()
    thread = threading.Thread(target=send)
    thread.start()
    return thread


def shown(sb, text, stream="stdout"):
    """Whether the live interpreter has written text, which nobody has read yet."""
    return text in bytes(getattr(sb._live[0], stream)._data)


class Gate:
    """A file of the host's for which a guest waits without asking the host for anything:
    while closed, a condition in the guest's words, is true."""

    def __init__(self, case):
        top = tempfile.mkdtemp()
        case.addCleanup(shutil.rmtree, top)
        os.chmod(top, 0o755)
        self.policy = {"extends": "strict", "files": {"read": [top]}}
        self.path = os.path.join(top, "open")
        self.closed = "not __import__('os').path.exists(%r)" % self.path

    def open(self):
        with open(self.path, "w"):
            pass

    def close(self):
        os.unlink(self.path)


class Door:
    """A capability: a guest goes through when the host opens it."""

    def __init__(self):
        self.inside, self.opened = threading.Event(), threading.Event()

    @expose
    def enter(self):
        self.inside.set()
        self.opened.wait(10 * PATIENCE)

    @expose
    def note(self):
        self.inside.set()


class Case(unittest.TestCase):
    """A test with one sandbox, made when it is first used."""

    policy = "strict"
    options: dict = {}

    def setUp(self):
        self.sb = Sandbox(self.policy, **self.options)
        self.addCleanup(self.sb.close)


class Store:
    """A capability with data, references, failures and callbacks."""

    def __init__(self):
        self.data = {}
        self.children = []

    @expose(params=(str,), returns=(bytes, None))
    def get(self, key):
        return self.data.get(key)

    @expose(params=(str, bytes))
    def put(self, key, value):
        self.data[key] = value

    @expose(params=(str,), raises=(KeyError,))
    def must(self, key):
        return self.data[key]

    @expose
    def secret_failure(self):
        raise RuntimeError("the password is hunter2")

    @expose(returns=reference("name", "parent"))
    def child(self, name):
        self.children.append(Child(self, name))
        return self.children[-1]

    @expose(params=(reference(),), returns=str)
    def own(self, thing):
        return type(thing).__name__

    @expose(params=(reference("name"),), returns=str)
    def name_of(self, child):
        return child._name

    @expose(params=((list, dict, int),))
    def count(self, values):
        return len(values)

    @expose(params=(object,))
    def kinds(self, values):
        return [type(value).__name__ for value in values]

    @expose(params=(str,), returns=(reference("name"), str))
    def either(self, name):
        return Child(self, name) if name else "none"

    @expose
    def echo(self, value):
        return value

    @expose
    def huge(self):
        return "x" * (70 << 20)

    @expose
    def twice(self, function):
        return function(function(1))

    @expose
    async def later(self, value):
        import asyncio
        await asyncio.sleep(0.01)
        return value

    def hidden(self):
        return "hidden"


class Child:
    def __init__(self, store, name):
        self.store, self._name = store, name

    @expose(returns=str)
    def name(self):
        return self._name

    @expose
    def parent(self):
        return facet(self.store, ["own"])

    @expose
    def other(self):
        return 1


def memory():
    """What this process has in memory, in bytes (proc_pid_statm(5), resident)."""
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * 4096
