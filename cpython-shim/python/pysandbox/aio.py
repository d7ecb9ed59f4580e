"""The same sandbox for asyncio. Requests wait in threads of their own, and async
methods of capabilities run in the event loop that made the sandbox.
"""
from __future__ import annotations

import asyncio
import os
import time
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, AsyncIterator, Callable, Dict, Iterable, Optional, Tuple, TypeVar

from . import amounts, forks
from .capability import Grant
from .files import LIMIT
from .results import Event, Execution, Report, Result
from .run import Run, unended
from .sandbox import DEADLINE, Sandbox
from .scope import Scope, current
from .turns import Closed, Left, Turn, Turns, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Sequence, Union

    from .guestfiles import Path
    from .policy import PolicyLike
    from .stream import Stream


T = TypeVar("T")
S = TypeVar("S", bound="AsyncSandbox")


class _Threads:
    """Awaits blocking calls in threads that end with it."""

    def __init__(self, count: int):
        self._count, self._owner = count, os.getpid()
        self._pool = ThreadPoolExecutor(count, "pysandbox")

    async def __call__(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await asyncio.wrap_future(self.begin(function, *args, **kwargs))

    def begin(self, function: Callable[..., T], *args: Any, **kwargs: Any) -> Future[T]:
        forks.check(self._owner)  # a fork has no threads
        try:
            return self._pool.submit(function, *args, **kwargs)
        except RuntimeError:  # closed, and somebody asks for what is left, such as a result
            self._pool = ThreadPoolExecutor(self._count, "pysandbox")
            return self._pool.submit(function, *args, **kwargs)

    def close(self) -> None:
        self._pool.shutdown(wait=False)


class AsyncRun:
    """What AsyncSandbox.start returns: a Run whose stdout, stderr and audit() are
    iterated by `async for`."""

    def __init__(self, run: Run):
        self._run = run
        self._wait = _Threads(8)
        self._end = _Threads(2)  # a thread is free for the end, whatever is waited for
        self._ended: Optional[Future[Result]] = None

    @property
    def stdout(self) -> AsyncIterator[bytes]:
        """The lines of standard output, as they arrive."""
        return _lines(self._run.stdout)

    @property
    def stderr(self) -> AsyncIterator[bytes]:
        """The lines of standard error, as they arrive."""
        return _lines(self._run.stderr)

    async def audit(self) -> AsyncIterator[Event]:
        async for line in _lines(self._run._process.audit):
            yield Event.parse(line)

    async def write(self, data: bytes) -> None:
        await self._wait(self._run.write, data)

    def close_stdin(self) -> None:
        self._run.close_stdin()

    async def wait(self, timeout: Optional[float] = None) -> Result:
        # One thread waits for all who ask: one who is cancelled cannot end its own.
        limit = amounts.seconds("timeout", timeout)
        if self._ended is None:
            self._ended = self._end.begin(self._run.wait)
        ended = asyncio.wrap_future(self._ended)
        ended.add_done_callback(lambda done: done.cancelled() or done.exception())  # nobody may ask for it
        done, _ = await asyncio.wait({ended}, timeout=limit)
        if not done:
            raise unended(limit)
        return await ended

    def interrupt(self) -> None:
        self._run.interrupt()

    async def kill(self) -> None:
        await self._end(self._run.kill)

    async def __aenter__(self) -> AsyncRun:
        return self

    async def __aexit__(self, *details: Any) -> None:
        await self._end(self._run.__exit__, *details)
        self._wait.close()
        self._end.close()


async def _lines(stream: Stream) -> AsyncIterator[bytes]:
    """The lines of a stream. No thread waits for them, so a task that stops waiting
    takes none along."""
    loop = asyncio.get_running_loop()
    came = asyncio.Event()

    def wake() -> None:
        loop.call_soon_threadsafe(came.set)
    while True:
        came.clear()
        line = stream.line(wake)
        if line is None:
            try:
                await came.wait()
            finally:
                stream.forget_wake(wake)
        elif line:
            yield line
        else:
            return


def _join(turns: Turns) -> Tuple[Turn, asyncio.Future[None]]:
    """A place in the line, and what is done when there is nothing to wait for."""
    loop = asyncio.get_running_loop()
    came: asyncio.Future[None] = loop.create_future()

    def come() -> None:
        if not came.done():
            came.set_result(None)

    def wake() -> None:
        loop.call_soon_threadsafe(come)
    return turns.join(wake), came


class AsyncSandbox:
    """Sandbox with every request awaited; it takes the parameters of Sandbox, and its
    methods those of Sandbox's. Async methods of capabilities run in the event loop that
    entered it, by `async with`. Requests of several tasks are done one at a
    time, in the order in which they came. When a task is cancelled whose request is
    under way, the guest is asked to stop, by a KeyboardInterrupt, and killed if it has
    not within a second. A request that waits for its turn leaves the line, and no other
    one notices."""

    def __init__(self, policy: PolicyLike = "strict", *, python: Optional[str] = None,
                 env: Optional[Mapping[str, str]] = None, cwd: Optional[str] = None,
                 deadline: Optional[float] = DEADLINE):
        self._sandbox = Sandbox(policy, python=python, env=env, cwd=cwd, deadline=deadline)
        self._sandbox._scope = current
        self._wait = _Threads(16)

    async def __aenter__(self: S) -> S:
        self._sandbox._callers_loop = asyncio.get_running_loop()
        return self

    async def __aexit__(self, *_: Any) -> None:
        await self.close()

    async def close(self) -> None:
        if os.getpid() != self._sandbox._owner:
            return  # which has no threads of ours
        await self._wait(self._sandbox.close)
        self._wait.close()

    @property
    def report(self) -> Optional[Report]:
        return self._sandbox.report

    async def audit(self) -> AsyncIterator[Event]:
        process = self._sandbox._latest() or (await self._ask(self._sandbox._start))[0]
        async for line in _lines(process.audit):
            yield Event.parse(line)

    def grant(self, name: str, thing: Any, methods: Optional[Iterable[str]] = None, *,
              callbacks: bool = False) -> Grant:
        return self._sandbox.grant(name, thing, methods, callbacks=callbacks)

    async def _ask(self, function: Callable[..., T], *args: Any, timeout: Optional[float] = None,
                   **kwargs: Any) -> T:
        """Waits in the loop for a turn, so that the wait costs no thread and is ended
        by whatever cancels the task, and then in a thread."""
        sandbox = self._sandbox
        sandbox._check()
        seconds, began = sandbox._seconds(timeout), time.monotonic()
        turn, came = _join(sandbox._turns)
        try:
            if not turn.mine:
                await asyncio.wait([came], timeout=seconds)
            try:
                check(turn, seconds)
            except Closed:
                raise await self._wait(sandbox._closed_error) from None
            scope = Scope(Left(seconds, time.monotonic() - began))

            def ask() -> T:
                try:
                    with scope:
                        return function(*args, **kwargs)
                finally:
                    sandbox._turns.leave(turn)
            asked = asyncio.wrap_future(self._wait.begin(ask))
        except BaseException:
            sandbox._turns.leave(turn)
            raise
        try:
            return await asyncio.shield(asked)
        except asyncio.CancelledError:
            scope.cancel()
            await asyncio.wait([asked])
            if not asked.cancelled():
                asked.exception()  # which nobody else will ask for
            raise

    async def exec(self, source: str, *, filename: str = "<exec>",
                   timeout: Optional[float] = None) -> Execution:
        return await self._ask(self._sandbox.exec, source, filename=filename, timeout=timeout)

    async def eval(self, source: str, *, filename: str = "<eval>", timeout: Optional[float] = None) -> Any:
        return await self._ask(self._sandbox.eval, source, filename=filename, timeout=timeout)

    async def run_file(self, path: Path, argv: Sequence[str] = (), *,
                       timeout: Optional[float] = None) -> Execution:
        return await self._ask(self._sandbox.run_file, path, argv, timeout=timeout)

    async def run_module(self, name: str, argv: Sequence[str] = (), *,
                         timeout: Optional[float] = None) -> Execution:
        return await self._ask(self._sandbox.run_module, name, argv, timeout=timeout)

    async def start(self, source: Optional[str] = None, *, file: Optional[Path] = None,
                    module: Optional[str] = None, argv: Sequence[str] = (),
                    env: Optional[Mapping[str, str]] = None, stdin: Union[bool, bytes] = False,
                    timeout: Optional[float] = None) -> AsyncRun:
        begun = asyncio.wrap_future(self._wait.begin(
            self._sandbox.start, source, file=file, module=module, argv=argv, env=env, stdin=stdin,
            timeout=timeout))
        try:
            return AsyncRun(await asyncio.shield(begun))
        except asyncio.CancelledError:
            await asyncio.wait([begun])
            if begun.exception() is None:  # and nobody will have a handle on it
                await self._wait(begun.result().__exit__)
            raise

    async def write_file(self, path: Path, data: bytes, mode: int = 0o644, *,
                         timeout: Optional[float] = None) -> None:
        await self._ask(self._sandbox.write_file, path, data, mode, timeout=timeout)

    async def read_file(self, path: Path, limit: int = LIMIT, *, timeout: Optional[float] = None) -> bytes:
        return await self._ask(self._sandbox.read_file, path, limit, timeout=timeout)

    async def copy_in(self, source: Path, path: Path, *, timeout: Optional[float] = None) -> None:
        await self._ask(self._sandbox.copy_in, source, path, timeout=timeout)

    async def copy_out(self, path: Path, target: Path, limit: int = LIMIT, *,
                       timeout: Optional[float] = None) -> None:
        await self._ask(self._sandbox.copy_out, path, target, limit, timeout=timeout)

    async def list_files(self, top: Path, *, timeout: Optional[float] = None) -> Dict[str, int]:
        return await self._ask(self._sandbox.list_files, top, timeout=timeout)
