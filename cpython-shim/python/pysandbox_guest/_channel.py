"""The guest's end of the capability channel: calls to the host, and the host's
calls to what runs here. Nothing of it protects anything; the host checks all.
"""
import os
from _thread import allocate_lock
from _weakref import ref

from . import _codec as codec
from ._codec import CALL, ERROR, FREE, HELLO, NOTE, RELEASE, RETURN, REVOKED
from ._tables import Area, Exports

MAX_NESTING = 16  # calls of the host within calls of ours within ...


class RemoteError(Exception):
    """A method of the host failed. type_name is the name of its exception."""

    type_name = "RemoteError"


class RevokedError(RemoteError):
    """The host has taken the capability back."""

    type_name = "RevokedError"


class Pending:
    """A call that waits for its answer, or a thread that waits for calls."""

    __slots__ = ("done", "value", "failure", "wake")

    def __init__(self):
        self.done = False
        self.value = self.failure = None
        self.wake = allocate_lock()
        self.wake.acquire()


class Connection:
    """One channel. Any thread may call; of the threads that wait, one reads."""

    def __init__(self, fd=3, inbox=4, outbox=5):
        self.fd = fd
        self.area = Area(inbox, outbox)
        self.exports = Exports()
        self.exports.add("root", None)
        self.work = []  # calls for the thread that serves
        self.server = None  # the Pending of that thread
        self.errors = {}  # name: class
        self._lock = allocate_lock()
        self._reading = False
        self._waiting = []
        self._pending = {}
        self._stubs = {}  # number: [weak reference, times received]
        self._last = 0
        self._nesting = 0
        for own in (fd, inbox, outbox):
            os.set_inheritable(own, False)
        self.send([HELLO, codec.VERSION])

    # Frames

    def send(self, frame):
        os.write(self.fd, codec.encode(frame, self._refer))

    def note(self, *words):
        """Tells the supervisor of a denied operation: advice, never proof."""
        text = [w[:1000].encode("utf-8", "replace").decode() for w in words]
        os.write(self.fd, codec.encode([NOTE] + text))

    def _refer(self, value):
        if isinstance(value, Capability):
            return -1 - object.__getattribute__(value, "_number")
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self.area.put(value)
        if callable(value) and not isinstance(value, type):
            return self.exports.add(id(value), value)
        return None

    def _resolve(self, place):
        if isinstance(place, tuple):
            data = self.area.get(*place)
            self.send([FREE, place[0]])
            return data
        if place < 0:
            return self.exports.get(-1 - place)
        return self.stub(place)

    def stub(self, number):
        """The capability with a number of the host's, one object for each."""
        known = self._stubs.get(number)
        stub = known and known[0]()
        if stub is None:
            stub = Capability(self, number)
            known = self._stubs[number] = [ref(stub), 0]
        known[1] += 1
        return stub

    def dropped(self, number, stub):
        """The last reference to a stub is gone."""
        known = self._stubs.get(number)
        if known is not None and known[0]() in (None, stub):
            del self._stubs[number]
            try:
                self.send([RELEASE, number, known[1]])
            except OSError:
                pass  # the channel is gone, and so is the object

    # Calls to the host

    def call(self, target, method, args, kwargs):
        """Calls a method of the host's object and returns its result."""
        slot = Pending()
        with self._lock:
            self._last = number = self._last + 1
            self._pending[number] = slot
        try:
            self.send([CALL, number, 0, target, method, list(args), kwargs])
            self.wait(slot)
        finally:
            self._pending.pop(number, None)
        if slot.failure is not None:
            raise slot.failure
        return slot.value

    def wait(self, slot):
        """Reads frames, or lets another thread read them, until slot is done."""
        while True:
            with self._lock:
                if slot.done:
                    return
                if self._reading:
                    self._waiting.append(slot)
                    lead = False
                else:
                    self._reading = lead = True
            if not lead:
                slot.wake.acquire()
                continue
            try:
                frame = None
                while not slot.done and frame is None:
                    frame = self._read()
            finally:
                self._stop_reading()
            if frame is not None:
                self._serve(frame)

    def _stop_reading(self):
        with self._lock:
            self._reading = False
            waiting, self._waiting = self._waiting, []
        for slot in waiting:
            slot.wake.release()

    def _read(self):
        """Takes one frame in. A call that this thread should serve is returned."""
        data = os.read(self.fd, codec.MAX_FRAME + 1)
        if not data:
            self._lost()
        frame = codec.decode(data, self._resolve)
        kind = frame[0]
        if kind == RETURN or kind == ERROR:
            slot = self._pending.get(frame[1])
            if slot is not None:
                if kind == RETURN:
                    slot.value = frame[2]
                else:
                    slot.failure = self._failure(frame[2], frame[3])
                slot.done = True
        elif kind == FREE:
            self.area.free(frame[1])
        elif kind == RELEASE:
            self.exports.release(frame[1], frame[2])
        elif kind == CALL and frame[3] == 0 and self.server is not None:
            self.work.append(frame)
            self.server.done = True
        elif kind == CALL:
            return frame
        elif kind != REVOKED:
            raise codec.FrameError("an unexpected frame of kind %r" % (kind,))
        return None

    def _lost(self):
        lost = ConnectionError("the host has closed the capability channel")
        for slot in list(self._pending.values()):
            slot.failure, slot.done = lost, True
        if self.server is not None:
            self.server.done = True
        raise lost

    def _failure(self, name, message):
        kind = self.error(name)
        failure = kind(message)
        return failure

    def error(self, name):
        """The class of the host's exceptions of that name."""
        known = {"RevokedError": RevokedError, "RemoteError": RemoteError}.get(name) or self.errors.get(name)
        if known is None:
            import builtins
            builtin = getattr(builtins, name, None)
            bases = (RemoteError,)
            if isinstance(builtin, type) and issubclass(builtin, Exception):
                bases = (RemoteError, builtin)
            try:
                known = type(name, bases, {"type_name": name})
            except TypeError:  # a layout of its own, such as OSError's
                known = type(name, (RemoteError,), {"type_name": name})
            known.__module__ = "pysandbox_guest.errors"
            self.errors[name] = known
        return known

    # Calls of the host

    def _serve(self, frame):
        """Runs a function that the host calls back, and answers."""
        _, number, _, target, method, args, kwargs = frame
        function = self.exports.get(target)
        self.answer(number, None if method != "__call__" else function, args, kwargs)

    def answer(self, number, function, args, kwargs, describe=None):
        """Calls function and sends what it returns or raises. describe(error)
        gives the traceback as text."""
        self._nesting += 1
        try:
            if function is None or self._nesting > MAX_NESTING:
                raise LookupError(
                    "nothing here has that name" if function is None else "calls are nested too deep")
            result = function(*args, **kwargs)
            frame = codec.encode([RETURN, number, result], self._refer)
        except BaseException as problem:
            frame = codec.encode([ERROR, number] + explain(problem, describe))
        finally:
            self._nesting -= 1
        os.write(self.fd, frame)


def explain(problem, describe=None):
    """The name, the message and the traceback of an exception, as data."""
    try:
        message = str(problem)
    except Exception:
        message = "<an exception whose text cannot be had>"
    trace = None
    if describe is not None:
        try:
            trace = clean(describe(problem), 32768)
        except Exception:
            trace = None
    return [clean(type(problem).__name__, 200), clean(message, 4096), trace]


def clean(text, most):
    """Text that fits and that UTF-8 can say."""
    return text[:most].encode("utf-8", "backslashreplace").decode()


class Capability:
    """An object of the host's. Its methods are those that the host exposed; to
    read one here asks nobody, so an unknown name fails when it is called."""

    __slots__ = ("_connection", "_number", "__weakref__")

    def __init__(self, connection, number):
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_number", number)

    def __getattr__(self, name):
        if name[:1] == "_":
            raise AttributeError("a capability has no attribute " + repr(name))
        return Method(self, name)

    def __setattr__(self, name, value):
        raise AttributeError("a capability has no attributes to set")

    def __call__(self, *args, **kwargs):
        return self._connection.call(self._number, "__call__", args, kwargs)

    def __repr__(self):
        return "<capability %d>" % self._number

    def __del__(self):
        self._connection.dropped(self._number, self)


class Method:
    """One method of a capability: called it waits, and call_async is awaited."""

    __slots__ = ("_capability", "__name__")

    def __init__(self, capability, name):
        self._capability, self.__name__ = capability, name

    def __call__(self, *args, **kwargs):
        stub = self._capability
        return stub._connection.call(stub._number, self.__name__, args, kwargs)

    async def call_async(self, *args, **kwargs):
        """The same without blocking the event loop."""
        import asyncio
        import functools
        loop = asyncio.get_event_loop()
        return await loop.run_in_executor(None, functools.partial(self, *args, **kwargs))

    def __repr__(self):
        return "<method %s of %r>" % (self.__name__, self._capability)


__all__ = ["Capability", "Connection", "RemoteError", "RevokedError"]
