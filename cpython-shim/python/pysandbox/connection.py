"""The host's end of one capability channel. Everything that arrives is hostile:
a frame that is wrong costs the run that sent it, and nothing else.
"""
from __future__ import annotations

import _socket  # socket makes enumerations, which takes longer than all of ours
import os
import threading
import time

from . import amounts, codec, forks
from .arrived import Arrived
from .capability import Callback, Facet
from .codec import CALL, CANCEL, ERROR, FREE, HELLO, RELEASE, RETURN, REVOKED, WELCOME, FrameError
from .errors import CancelledError, DeadlineError, GuestError, RunError, SetupError, TooLargeError
from .forks import hold
from .frames import kind_of
from .pending import Pending, Sender
from .readers import Readers
from .service import MAX_CALLS, Service
from .tables import Area, Exports, Gone

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any, Callable, Dict, List, Mapping, Optional, Sequence, Tuple, Union

    from .capability import Grant
    from .codec import Place
    from .scope import Scope

MAX_TEXT = 64 << 10  # of an exception's message or traceback
GRACE = 1.0  # seconds that a guest has to stop when it is asked to


class Connection:
    """One channel to one guest. grants gives the grants by name; loop() an event
    loop for async methods; broken(error) is told once if the guest breaks the
    protocol or does not answer, and lost() is why the channel has ended. program is
    the source of a program that is too long to be an argument of its interpreter."""

    def __init__(self, channel: _socket.socket, grants: Mapping[str, Grant], deadline: float,
                 loop: Callable[[], asyncio.AbstractEventLoop],
                 broken: Callable[[Exception], None], lost: Callable[[], Exception],
                 program: Optional[str] = None):
        self._owner = os.getpid()
        self._fd = channel.fileno()
        self._channel = channel
        self._sender = Sender(channel, deadline, broken)
        self._deadline, self._broken, self._lost = deadline, broken, lost
        self.exports = Exports()
        self.exports.add("root", None)
        self._lock = threading.Lock()
        self._pending: Dict[int, Pending] = {}
        self._last = 0
        self.bulk = 0  # bytes of arguments that are under way
        self._closed = False
        self.ready = threading.Event()  # the guest has said HELLO, or is gone
        self.granted = self._welcome()
        self._readers = Readers(self._next, self._perform, MAX_CALLS + 2)
        self._service = Service(
            grants, self.exports, self.send, self._post, loop, self._readers.leave, program)

    def _welcome(self) -> Tuple[str, ...]:
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
        self.area = Area(fds[1], fds[0])
        frame = codec.decode(data)
        if frame[:2] != [WELCOME, codec.VERSION]:
            self.area.close()
            raise SetupError(
                "the binary speaks another version of the protocol; install the same version of both")
        return tuple(frame[2])

    def start(self) -> None:
        """Begins to answer the guest."""
        self._readers.start()
        hold(self)

    def forget(self) -> None:
        """Closes what a forked child has got of it."""
        self._closed = True
        self.area.forget()
        self._channel.close()

    # Frames

    def _next(self) -> Optional[Tuple[List[Any], Arrived]]:
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

    def _take(self, data: bytes) -> Optional[Tuple[List[Any], Arrived]]:
        arrived = Arrived(self, len(data))
        frame = codec.decode(data, arrived.resolve)
        kind = kind_of(frame)
        if kind == CALL:
            return frame, arrived
        self.count(-arrived.bytes)
        if kind == RETURN or kind == ERROR:
            self._answered(kind, frame, arrived)
        elif kind == RELEASE:
            if frame[2] < 1:
                raise FrameError("a release of nothing")
            self.exports.release(frame[1], frame[2])
        elif kind == FREE:
            self.area.free(frame[1])
        elif kind == CANCEL:
            self._service.cancel(frame[1])
        elif kind == HELLO:
            if frame[1] != codec.VERSION or self.ready.is_set():
                raise FrameError("an unexpected HELLO")
            self.ready.set()
        return None

    def _answered(self, kind: int, frame: List[Any], arrived: Arrived) -> None:
        with self._lock:
            pending = self._pending.pop(frame[1], None)
        if pending is None:
            raise FrameError("an answer to no call")
        if kind == ERROR:
            pending.problem = GuestError(frame[2][:200], frame[3][:MAX_TEXT], (frame[4] or "")[:MAX_TEXT])
        elif arrived.callbacks or arrived.objects:
            pending.problem = GuestError("TypeError", "the value holds %s, which is no plain data" % (
                "a function" if arrived.callbacks else "an object of the host's"))
        else:
            pending.value = frame[2]
        pending.answered = True
        pending.wake()

    def _perform(self, call: Tuple[List[Any], Arrived]) -> None:
        frame, arrived = call
        try:
            self._service.perform(frame, arrived)
        finally:
            if arrived.bytes:
                self.count(-arrived.bytes)

    def count(self, size: int) -> None:
        """Notes that so many bytes of arguments are under way, or fewer."""
        if size:
            with self._lock:
                self.bulk += size

    def send(self, frame: List[Any], grant: Optional[Grant] = None,
             seconds: Optional[float] = None) -> Optional[DeadlineError]:
        """Sends a frame, whose objects belong to grant. A guest that does not read
        is ended after so many seconds, or the deadline; the error says so."""
        put: List[int] = []
        try:
            data = codec.encode(frame, lambda value: self._refer(value, grant, put))
        except Gone:
            return None  # whoever waits is told by the reader
        except BaseException:
            for offset in put:
                self.area.free(offset)
            raise
        return self._sender.send(data, seconds)

    def _refer(self, value: Any, grant: Optional[Grant], put: List[int]) -> Optional[Place]:
        if isinstance(value, (bytes, bytearray, memoryview)):
            place = self.area.put(value)
            put.append(place[0])
            return place
        if isinstance(value, Callback) and value._belongs_to(self):
            return -1 - value.number
        if isinstance(value, Facet):
            if grant is not None and value.grant is None:
                value = Facet(value.thing, value.table, grant, value.label)
            return self.exports.add(value.key, value)
        return None

    # Calls to the guest

    def call(self, target: int, method: str, args: Sequence[Any], kwargs: Mapping[str, Any],
             timeout: Optional[float] = None, scope: Optional[Scope] = None,
             waited: float = 0.0) -> Any:
        """Calls a method of the guest and returns its result. GuestError if it
        raises, DeadlineError if it does not answer in time, CancelledError if scope
        was cancelled, or what ended the run. A method that the guest is waiting for
        may call functions of the guest's (target above 0) and nothing else of it.
        Of timeout, so many seconds have been waited already."""
        forks.check(self._owner)
        if target == 0:
            self.check()
        timeout = self._deadline if timeout is None else amounts.seconds("timeout", timeout)
        pending = Pending()
        with self._lock:
            if self._closed:
                raise self._lost()
            self._last = number = self._last + 1
            self._pending[number] = pending
        try:
            if scope is not None:
                scope.enter(pending.cancel)
            frame = [CALL, number, 0, target, method, list(args), dict(kwargs)]
            unread = self.send(frame, None, max(0.0, timeout - waited))
            if unread is not None:
                raise unread
        except BaseException as problem:
            self._pending.pop(number, None)
            if isinstance(problem, codec.TooLargeError):
                raise TooLargeError(str(problem)) from None
            raise
        self._readers.leave()
        self._wait(pending, number, timeout, waited)
        if pending.problem is not None:
            raise pending.problem
        if pending.ended:
            raise self._lost()
        return pending.value

    def check(self) -> None:
        """Refuses a request that is made by a method for which the guest waits."""
        if self._service.performs():
            raise RunError("a capability's method cannot ask the sandbox that waits for it; "
                           "call a function that it was given")

    def _wait(self, pending: Pending, number: int, seconds: float, waited: float) -> None:
        """Returns when there is an answer, or nobody who could give one."""
        try:
            pending.done.acquire(timeout=max(0.0, seconds - waited))
        except BaseException:  # the host's own interrupt
            self._sender.offer(codec.encode([CANCEL, number]))
            raise
        if pending.answered or pending.ended:
            return
        problem: Union[CancelledError, DeadlineError]
        if pending.cancelled:
            problem = CancelledError("the request was cancelled")
        else:
            part = ", of which the request waited %.2g for its turn" % waited if waited > 0.005 else ""
            problem = DeadlineError("the guest did not answer within %g seconds%s" % (seconds, part))
        self._sender.offer(codec.encode([CANCEL, number]))
        until = time.monotonic() + GRACE
        while not pending.answered and not pending.ended and time.monotonic() < until:
            pending.done.acquire(timeout=max(0.0, until - time.monotonic()))
        if not pending.answered:
            problem.killed = True
            self._broken(problem)
        elif pending.problem is not None and pending.problem.args == (codec.NOT_BEGUN,):
            problem.begun = False
        raise problem

    def callback(self, number: int) -> Callback:
        """A function of the guest's that has arrived."""
        return Callback(self, number)

    def release(self, number: int) -> None:
        """A callback is held no more."""
        if not self._closed:
            self._post([RELEASE, number, 1])

    def revoke(self, grant: Grant) -> None:
        """Forgets what was exported of a grant."""
        number = None if grant.facet is None else self.exports.revoke(grant.facet.key)
        self._service.revoke(grant)
        if number is not None and not self._closed:
            self._post([REVOKED, number])

    def _post(self, frame: List[Any]) -> None:
        """Sends a frame without objects as soon as there is room, and waits for nothing."""
        self._sender.post(codec.encode(frame))

    def close(self) -> None:
        """Ends the conversation; the guest's serving loop ends with it."""
        self._closed = True
        if os.getpid() != self._owner:
            return  # it is the parent's, who goes on with it
        try:
            self._channel.shutdown(_socket.SHUT_RDWR)
        except OSError:
            pass

    def _fail(self) -> None:
        """Lets everybody who waits know that the channel has ended."""
        with self._lock:
            self._closed = True
            pending, self._pending = list(self._pending.values()), {}
        for one in pending:
            one.ended = True
            one.wake()
        self._service.close()
        self.ready.set()
        self.area.close()
        self._channel.close()
