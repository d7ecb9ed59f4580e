"""Performs what a guest asks of the objects that it was granted."""
from __future__ import annotations

import threading
from contextvars import ContextVar

from .capability import PLAIN, Facet, facet, fits, reference, things
from .codec import ERROR, RETURN, TooLargeError
from .errors import PolicyError
from .told import Told

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from concurrent.futures import Future
    from typing import Any, Awaitable, Callable, Dict, List, Mapping, Optional, Tuple

    from .arrived import Arrived
    from .capability import Entry, Grant
    from .tables import Exports

MAX_CALLS = 64  # of a guest's calls that are under way
MAX_FRAMES = 2 << 20  # bytes of their frames; what is in lists takes up to 90 times as many here


class Refused(Exception):
    """What the guest is told of a call that did not succeed."""

    def __init__(self, type_name: str, message: str):
        super().__init__(message)
        self.type_name, self.message = type_name, message[:4096].encode("utf-8", "backslashreplace").decode()


class Service:
    """The calls of one guest. send(frame, grant) answers, post(frame) does so without
    waiting for room, loop() is an event loop for async methods, and waiting() is called
    by a thread that will block."""

    def __init__(self, grants: Mapping[str, Grant], exports: Exports,
                 send: Callable[[List[Any], Optional[Grant]], object],
                 post: Callable[[List[Any]], None],
                 loop: Callable[[], asyncio.AbstractEventLoop], waiting: Callable[[], None],
                 program: Optional[str]):
        self._grants, self._exports = grants, exports
        self._send, self._post, self._loop, self._waiting = send, post, loop, waiting
        self._program = program
        self._lock = threading.Lock()
        self._running: Dict[int, _Running] = {}
        self._size = 0  # bytes of their frames
        self.told = Told()

    def performs(self) -> bool:
        """Whether whoever asks this is the method, or the task of an async one, for
        which the guest waits."""
        return any(running.service is self and not running.over for running in _performed.get())

    def perform(self, frame: List[Any], arrived: Arrived) -> None:
        """Performs a call and answers it."""
        number, grant = frame[1], None
        running = _Running(self, arrived.size)
        before = _performed.set(_performed.get() + (running,))
        try:
            self._begin(number, frame, running)
            _, _, _, target, name, args, kwargs = frame
            if target == 0:
                result = self._root(name, args, arrived)
            else:
                owner = self._exports.get(target)
                if owner is None:
                    raise Refused("RevokedError", "the capability was revoked")
                running.grant = grant = owner.grant  # from here on revoke() finds it
                if not owner.alive():
                    raise Refused("RevokedError", "the capability was revoked")
                result = self._invoke(owner, name, args, kwargs, arrived, running)
            if running.claim():
                self._send([RETURN, number, result], grant)
        except Refused as refused:
            if running.claim():
                self._send([ERROR, number, refused.type_name, refused.message, None], None)
        except TooLargeError as problem:
            self._send([ERROR, number, "TooLargeError", "the result: %s" % problem, None], None)
        except Exception as problem:
            self.told.warn("the result of %r cannot cross", frame[4][:100], problem=problem)
            self._send([ERROR, number, "RemoteError", "the result of the method cannot cross", None], None)
        finally:
            running.over = True
            _performed.reset(before)
            with self._lock:
                if self._running.get(number) is running:
                    del self._running[number]
                    self._size -= running.size

    def _begin(self, number: int, frame: List[Any], running: _Running) -> None:
        with self._lock:
            if number in self._running:
                refusal = "a call %d is under way already" % number
            elif len(self._running) >= MAX_CALLS:
                refusal = "%d calls are under way already" % MAX_CALLS
            elif self._size + running.size > MAX_FRAMES:
                refusal = "calls with %d bytes beside long text and bytes are under way already" % self._size
            else:
                self._running[number] = running
                self._size += running.size
                return
        frame.clear()  # the guest may never read the refusal
        raise Refused("RemoteError", refusal)

    def cancel(self, number: int) -> None:
        """The guest does not wait for a call any more. An async method is cancelled;
        any other goes on, and its result is dropped by the guest."""
        with self._lock:
            running = self._running.get(number)
        if running is not None:
            running.cancel()

    def revoke(self, grant: Grant) -> None:
        """Answers the calls of a grant's objects: nobody waits for them any more. An
        async method is cancelled; of any other the result is dropped. The guest may read
        nothing, and an event loop revoke."""
        with self._lock:
            revoked = [(number, one) for number, one in self._running.items() if one.grant is grant]
        for number, running in revoked:
            if running.claim():
                self._post([ERROR, number, "RevokedError", "the capability was revoked", None])
            running.cancel()

    def close(self) -> None:
        """Cancels all async methods: the guest is gone."""
        with self._lock:
            left = list(self._running.values())
        for running in left:
            running.cancel()

    def _root(self, name: str, args: List[Any], arrived: Arrived) -> Any:
        if name == "names" and not args:
            return sorted(self._grants)
        if name == "lookup" and len(args) == 1 and type(args[0]) is str:
            grant = self._grants.get(args[0])
            if grant is not None and grant.facet is not None:
                label = grant.facet.label or "capability " + grant.name
                return [grant.facet, sorted(grant.facet.table), label]
            raise Refused("LookupError", "no capability %r was granted" % args[0][:100])
        if name == "describe" and len(args) == 1:
            if arrived.problem is not None:
                raise arrived.problem
            if isinstance(args[0], Facet):
                return [sorted(args[0].table), args[0].label]
        if name == "program" and not args and self._program is not None:
            return self._program
        raise Refused("AttributeError", "the host has no such request")

    def _invoke(self, owner: Facet, name: str, args: List[Any], kwargs: Dict[str, Any],
                arrived: Arrived, running: _Running) -> Any:
        entry = owner.table.get(name)
        if entry is None:
            raise Refused("AttributeError", "the capability has no method %r" % name[:100])
        if arrived.problem is not None:
            raise arrived.problem
        if arrived.callbacks and not (owner.grant is not None and owner.grant.callbacks):
            raise Refused("TypeError", "%s() takes no functions: callbacks are off" % entry.name)
        try:
            entry.parameters.check(args, kwargs, arrived.objects + arrived.callbacks > 0)
        except TypeError as problem:
            raise Refused("TypeError", str(problem)) from None
        if arrived.objects:
            args, kwargs = things(args), things(kwargs)
        try:
            if entry.is_async:
                result = self._await(entry, args, kwargs, running)
            else:
                result = entry.call(*args, **kwargs)
        except BaseException as problem:  # a SystemExit is no reason to end the host
            raise _explain(entry, problem, running) from None
        return _result(entry, result, owner.grant, self.told)

    def _await(self, entry: Entry, args: List[Any], kwargs: Dict[str, Any],
               running: _Running) -> Any:
        import asyncio  # which takes longer than all other imports
        self._waiting()
        future = asyncio.run_coroutine_threadsafe(_kept(entry.call(*args, **kwargs)), self._loop())
        running.begin(future)
        result, problem = future.result()
        if problem is not None:
            raise problem
        return result


async def _kept(method: Awaitable[Any]) -> Tuple[Any, Optional[BaseException]]:
    """What an async method returns, or what it raises in order to end the host: a loop
    would end by that. A KeyboardInterrupt may be the operator's, in the main thread."""
    try:
        return await method, None
    except SystemExit as problem:
        return None, problem
    except KeyboardInterrupt as problem:
        if threading.current_thread() is threading.main_thread():
            raise
        return None, problem


class _Running:
    """A call that is performed."""

    __slots__ = ("service", "size", "over", "future", "cancelled", "grant", "_unanswered")

    def __init__(self, service: Service, size: int) -> None:
        self.service, self.size, self.over = service, size, False
        self.future: Optional[Future[Any]] = None
        self.cancelled = False
        self.grant: Optional[Grant] = None
        self._unanswered = threading.Lock()

    def claim(self) -> bool:
        """Whether the caller is the one to answer; only the first is. The guest waits no
        more once it has the answer, which is before who sends it can say so."""
        self.over = True
        return self._unanswered.acquire(False)

    def begin(self, future: Future[Any]) -> None:
        self.future = future
        if self.cancelled:
            future.cancel()

    def cancel(self) -> None:
        self.cancelled = True  # seen by begin, whichever comes first
        if self.future is not None:
            self.future.cancel()


# The calls that the code which asks performs, outermost first. A task has those of the
# thread that made it.
_performed: ContextVar[Tuple[_Running, ...]] = ContextVar("performed", default=())


def is_cancelled() -> bool:
    """Whether nobody waits any more for the method that asks this."""
    performed = _performed.get()
    return bool(performed) and performed[-1].cancelled


def _explain(entry: Entry, problem: BaseException, running: _Running) -> Refused:
    if running.cancelled and type(problem).__name__ == "CancelledError":
        return Refused("CancelledError", "the call was cancelled")
    if isinstance(problem, entry.exposed.raises):
        message = str(problem.args[0]) if len(problem.args) == 1 else str(problem)
        return Refused(type(problem).__name__, message)
    running.service.told.warn("the exposed method %s failed", entry.name, problem=problem)
    return Refused("RemoteError", "the method %s failed" % entry.name)


def _result(entry: Entry, result: Any, grant: Optional[Grant], told: Told) -> Any:
    declared = entry.exposed.returns
    problem = None
    for schema in declared if isinstance(declared, tuple) else (declared,):
        if not isinstance(schema, reference):
            if fits(schema, result):
                return result
        elif not isinstance(result, PLAIN) and result is not None:
            try:
                own = result.grant if isinstance(result, Facet) else None
                return facet(result, schema.methods or None, own or grant)
            except PolicyError as refused:
                problem = refused
    told.warn("the exposed method %s returned a %s", entry.name, type(result).__name__, problem=problem)
    raise Refused("RemoteError", "the result of %s is not what it declares" % entry.name)
