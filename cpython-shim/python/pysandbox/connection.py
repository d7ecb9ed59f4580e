"""The host's end of one capability channel. Everything that arrives is hostile:
a frame that is wrong costs the run that sent it, and nothing else.
"""
from __future__ import annotations

import _socket  # socket makes enumerations, which takes longer than all of ours
import os
import threading

from . import codec
from .capability import Callback, Entry, Facet, Grant, facet, fits, reference
from .codec import CALL, ERROR, FREE, HELLO, RELEASE, RETURN, REVOKED, WELCOME, FrameError
from .errors import DeadlineError, GuestError, RunError, SandboxError, SetupError
from .frames import kind_of
from .tables import AREA, Area, Exports

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple

MAX_CALLS = 64  # of a guest's calls that are under way
MAX_BULK = 2 * AREA  # bytes of arguments that are under way
MAX_TEXT = 64 << 10  # of an exception's message or traceback


class Connection:
    """One channel to one guest. names gives the granted facets by name; loop() an
    event loop for async methods; broken(error) is told once if the guest breaks
    the protocol, and lost() if the channel ends."""

    def __init__(self, channel: _socket.socket, grants: "Mapping[str, Grant]", deadline: float,
                 loop: "Callable[[], asyncio.AbstractEventLoop]",
                 broken: "Callable[[Exception], None]", lost: "Callable[[], Exception]"):
        self._fd = channel.fileno()
        self._channel = channel
        self._grants, self._deadline, self._loop = grants, deadline, loop
        self._broken, self._lost = broken, lost
        self._exports = Exports()
        self._exports.add("root", None)
        self._lock = threading.Lock()
        self._reading = threading.Lock()
        self._pending: Dict[int, "_Pending"] = {}
        self._received: Dict[int, int] = {}  # the guest's functions: times received
        self._last = 0
        self._idle = self._workers = self._busy = self._bulk = 0
        self._closed = False
        self._inside = threading.local()  # depth: calls of the guest that this thread performs
        self.ready = threading.Event()  # the guest has said HELLO, or is gone
        self.granted = self._welcome()

    def _welcome(self) -> "Tuple[str, ...]":
        """Takes the areas from the supervisor. The names that it sends are those
        that the policy lets be granted; none is no restriction."""
        try:
            data, ancillary, _, _ = self._channel.recvmsg(codec.MAX_FRAME, _socket.CMSG_SPACE(8))
        except OSError as problem:
            raise SetupError("the capability channel was not opened: %s" % problem) from None
        fds: List[int] = []
        for level, kind, raw in ancillary:
            if level == _socket.SOL_SOCKET and kind == _socket.SCM_RIGHTS:
                fds += memoryview(raw[:len(raw) & ~3]).cast("i").tolist()
        if not data or len(fds) != 2:
            for fd in fds:
                os.close(fd)
            raise SetupError("the capability channel was not opened")
        for fd in fds:
            os.set_inheritable(fd, False)
        self._areas = fds
        self._area = Area(fds[1], fds[0])
        frame = codec.decode(data)
        if frame[:2] != [WELCOME, codec.VERSION]:
            raise SetupError(
                "the binary speaks another version of the protocol; install the same version of both")
        return tuple(frame[2])

    def start(self) -> None:
        """Begins to answer the guest."""
        self._spawn()

    def _spawn(self) -> None:
        with self._lock:
            self._workers += 1
            self._idle += 1
        threading.Thread(target=self._work, name="pysandbox", daemon=True).start()

    # Frames

    def _work(self) -> None:
        """Reads frames one after the other with other threads; what takes long is
        done while another reads."""
        while True:
            with self._reading:
                call = self._next()
                if call is None:
                    break
                with self._lock:
                    self._idle -= 1
                    more = self._idle == 0 and self._workers <= MAX_CALLS
            if more:
                self._spawn()
            self._perform(*call)
            with self._lock:
                self._idle += 1
        with self._lock:
            self._idle -= 1
            self._workers -= 1

    def _next(self) -> "Optional[tuple]":
        """Takes frames in until one is a call. None at the end."""
        try:
            while not self._closed:
                data = os.read(self._fd, codec.MAX_FRAME + 1)
                if not data:
                    break
                call = self._take(data)
                if call is not None:
                    return call
        except OSError:
            pass
        except (ValueError, TypeError, IndexError, MemoryError, RecursionError) as problem:
            self._broken(problem)
        self._fail()
        return None

    def _take(self, data: bytes) -> "Optional[tuple]":
        arrived = _Arrived(self)
        frame = codec.decode(data, arrived.resolve)
        kind = kind_of(frame)
        if kind == CALL:
            return frame, arrived
        with self._lock:
            self._bulk -= arrived.bytes
        if kind == RETURN or kind == ERROR:
            with self._lock:
                pending = self._pending.pop(frame[1], None)
            if pending is None:
                raise FrameError("an answer to no call")
            if kind == ERROR:
                pending.problem = GuestError(frame[2][:200], frame[3][:MAX_TEXT], (frame[4] or "")[:MAX_TEXT])
            elif arrived.callbacks:
                pending.problem = GuestError(
                    "TypeError", "the value holds a function, which is no plain data")
            pending.value = None if pending.problem else frame[2]
            pending.done.release()
        elif kind == RELEASE:
            if frame[2] < 1:
                raise FrameError("a release of nothing")
            self._exports.release(frame[1], frame[2])
        elif kind == FREE:
            self._area.free(frame[1])
        elif kind == HELLO:
            if frame[1] != codec.VERSION or self.ready.is_set():
                raise FrameError("an unexpected HELLO")
            self.ready.set()
        return None

    def _send(self, frame: "List[Any]", grant: "Optional[Grant]" = None) -> None:
        data = codec.encode(frame, lambda value: self._refer(value, grant))
        try:
            self._channel.send(data)
        except OSError:
            pass  # whoever waits is told by the reader

    def _refer(self, value: Any, grant: "Optional[Grant]") -> Any:
        if isinstance(value, (bytes, bytearray, memoryview)):
            return self._area.put(value)
        if isinstance(value, Callback) and value._connection is self:
            return -1 - value._number
        if isinstance(value, Facet):
            if grant is not None and value.grant is None:
                value = Facet(value.thing, value.table, grant)
            return self._exports.add(value.key, value)
        return None

    # The guest's calls

    def _perform(self, frame: "List[Any]", arrived: "_Arrived") -> None:
        _, number, _, target, name, args, kwargs = frame
        grant = None
        self._inside.depth = getattr(self._inside, "depth", 0) + 1
        with self._lock:
            self._busy += 1
            busy = self._busy
        try:
            if busy > MAX_CALLS:
                raise _Refused("RemoteError", "%d calls are under way already" % MAX_CALLS)
            if target == 0:
                result = self._root(name, args)
            else:
                owner = self._exports.get(target)
                if owner is None or not owner.alive():
                    raise _Refused("RevokedError", "the capability was revoked")
                grant = owner.grant
                result = self._invoke(owner, name, args, kwargs, arrived)
                if not owner.alive():
                    raise _Refused("RevokedError", "the capability was revoked")
            self._send([RETURN, number, result], grant)
        except _Refused as refused:
            self._send([ERROR, number, refused.type_name, refused.message, None])
        except Exception as problem:
            _warn("the result of %r cannot cross", name[:100], problem=problem)
            self._send([ERROR, number, "RemoteError", "the result of the method cannot cross", None])
        finally:
            self._inside.depth -= 1
            with self._lock:
                self._busy -= 1
                self._bulk -= arrived.bytes

    def _root(self, name: str, args: "List[Any]") -> Any:
        if name == "names" and not args:
            return sorted(self._grants)
        if name == "lookup" and len(args) == 1 and type(args[0]) is str:
            grant = self._grants.get(args[0])
            if grant is not None and grant.facet is not None:
                return grant.facet
            raise _Refused("LookupError", "no capability %r was granted" % args[0][:100])
        raise _Refused("AttributeError", "the host has no such request")

    def _invoke(self, owner: Facet, name: str, args: "List[Any]", kwargs: "Dict[str, Any]",
                arrived: "_Arrived") -> Any:
        entry = owner.table.get(name)
        if entry is None:
            raise _Refused("AttributeError", "the capability has no method %r" % name[:100])
        if arrived.problem is not None:
            raise arrived.problem
        if arrived.callbacks and not (owner.grant is not None and owner.grant.callbacks):
            raise _Refused("TypeError", "%s() takes no functions: callbacks are off" % entry.name)
        try:
            entry.check(args, kwargs)
        except TypeError as problem:
            raise _Refused("TypeError", str(problem)) from None
        try:
            if entry.is_async:
                import asyncio  # which takes longer than all other imports

                result = asyncio.run_coroutine_threadsafe(entry.call(*args, **kwargs), self._loop()).result()
            else:
                result = entry.call(*args, **kwargs)
        except BaseException as problem:  # a SystemExit is no reason to end the host
            raise self._explain(entry, problem) from None
        return self._result(entry, result, owner.grant)

    def _explain(self, entry: Entry, problem: BaseException) -> "_Refused":
        if isinstance(problem, entry.exposed.raises):
            message = str(problem.args[0]) if len(problem.args) == 1 else str(problem)
            return _Refused(type(problem).__name__, message)
        _warn("the exposed method %s failed", entry.name, problem=problem)
        return _Refused("RemoteError", "the method %s failed" % entry.name)

    def _result(self, entry: Entry, result: Any, grant: "Optional[Grant]") -> Any:
        schema = entry.exposed.returns
        if isinstance(schema, reference) and result is not None and not isinstance(result, Facet):
            return facet(result, schema.methods or None, grant)
        if not fits(schema, result):
            _warn("the exposed method %s returned a %s", entry.name, type(result).__name__)
            raise _Refused("RemoteError", "the result of %s is not what it declares" % entry.name)
        return result

    # Calls to the guest

    def call(self, target: int, method: str, args: "Sequence[Any]", kwargs: "Mapping[str, Any]",
             timeout: "Optional[float]" = None) -> Any:
        """Calls a method of the guest and returns its result. GuestError if it
        raises, DeadlineError if it is silent, or what ended the run. A method that
        the guest is waiting for may call functions of the guest's (target above 0)
        and nothing else of it."""
        if target == 0 and getattr(self._inside, "depth", 0):
            raise RunError("a capability's method cannot ask the sandbox that waits for it; "
                           "call a function that it was given")
        pending = _Pending()
        with self._lock:
            if self._closed:
                raise self._lost()
            self._last = number = self._last + 1
            self._pending[number] = pending
        try:
            self._send([CALL, number, 0, target, method, list(args), dict(kwargs)])
        except FrameError as problem:
            self._pending.pop(number, None)
            raise TypeError(str(problem)) from None
        seconds = self._deadline if timeout is None else timeout
        if not pending.done.acquire(timeout=seconds):
            self._pending.pop(number, None)
            problem = DeadlineError("the guest did not answer within %g seconds" % seconds)
            self._broken(problem)
            raise problem
        if pending.problem is not None:
            raise pending.problem
        if pending.ended:
            raise self._lost()
        return pending.value

    def callback(self, number: int) -> Callback:
        with self._lock:
            self._received[number] = self._received.get(number, 0) + 1
        return Callback(self, number)

    def release(self, number: int) -> None:
        """A callback is held no more."""
        if not self._closed:
            self._send([RELEASE, number, 1])

    def revoke(self, grant: Grant) -> None:
        """Forgets what was exported of a grant."""
        if grant.facet is not None:
            number = self._exports.revoke(grant.facet.key)
            if number is not None and not self._closed:
                self._send([REVOKED, number])

    def close(self) -> None:
        """Ends the conversation; the guest's serving loop ends with it."""
        self._closed = True
        try:
            self._channel.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass

    def _fail(self) -> None:
        """Lets everybody who waits know that the channel has ended."""
        with self._lock:
            self._closed = True
            pending, self._pending = list(self._pending.values()), {}
            fds, self._areas = self._areas, []
        for one in pending:
            one.ended = True
            one.done.release()
        self.ready.set()
        for fd in fds:
            os.close(fd)
        if fds:
            self._channel.close()


def _warn(message: str, *args: "Any", problem: "Optional[BaseException]" = None) -> None:
    """Tells the host's operator what the guest is not told."""
    import logging
    logging.getLogger("pysandbox").warning(message, *args, exc_info=problem)


class _Pending:
    """A call that waits for its answer."""

    __slots__ = ("done", "value", "problem", "ended")

    def __init__(self) -> None:
        self.done = threading.Lock()
        self.done.acquire()
        self.value: Any = None
        self.problem: Optional[SandboxError] = None
        self.ended = False


class _Refused(Exception):
    """What the guest is told of a call that did not succeed."""

    def __init__(self, type_name: str, message: str):
        super().__init__(message)
        self.type_name, self.message = type_name, message[:4096].encode("utf-8", "backslashreplace").decode()


class _Arrived:
    """The objects and the bulk data that came with one frame."""

    __slots__ = ("connection", "callbacks", "bytes", "problem")

    def __init__(self, connection: Connection):
        self.connection = connection
        self.callbacks = self.bytes = 0
        self.problem: Optional[_Refused] = None

    def resolve(self, place: Any) -> Any:
        connection = self.connection
        if isinstance(place, tuple):
            offset, length = place
            if self.bytes + length > AREA or connection._bulk + length > MAX_BULK:
                raise FrameError("more data is under way than the area holds")
            self.bytes += length
            with connection._lock:
                connection._bulk += length
            data = connection._area.get(offset, length)
            connection._send([FREE, offset])
            return data
        if place >= 0:
            self.callbacks += 1
            if self.callbacks > MAX_CALLS:
                raise FrameError("too many functions in one call")
            return connection.callback(place)
        owner = connection._exports.get(-1 - place)
        if owner is None or not owner.alive():
            self.problem = _Refused("RevokedError", "an argument was revoked")
            return None
        return owner.thing
