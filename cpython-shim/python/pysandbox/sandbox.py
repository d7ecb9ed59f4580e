"""A sandbox: one live Python that keeps its state, and programs beside it."""
from __future__ import annotations

import os
from _thread import allocate_lock
from _weakref import ref
from time import monotonic

from . import amounts, forks
from .errors import EndedError, GuestError, PolicyError, RunError, SandboxError
from .guestfiles import GuestFiles
from .policy import Policy, policy_of
from .process import Process, check_variables, stop
from .turns import Closed, Left, Turns
from .typed import check, is_long, words

TYPE_CHECKING = False
if TYPE_CHECKING:
    import asyncio
    from typing import Any, Callable, Dict, Iterable, Iterator, Mapping, Optional, Sequence, TypeVar, Union

    from .capability import Grant
    from .connection import Connection
    from .loops import Loop
    from .policy import PolicyLike
    from .results import Event, Execution, Report
    from .run import Run
    from .scope import Scope
    S = TypeVar("S", bound="Sandbox")

DEADLINE = 60.0  # seconds that a request to the guest may take, unless told
PATIENCE = 5.0  # seconds that an idle guest has for its own end
SENT = "raise SystemExit('the host has sent no program')"  # what is one then


class Sandbox(GuestFiles):
    """Runs Python code under a policy.

        with Sandbox("strict") as sb:
            sb.exec("x = 6 * 7")
            sb.eval("x")                    # 42

    policy is a Policy, the name of a preset, a dict with the keys of a policy file, or
    the Path of one; python is an interpreter as --python names it; env are variables
    for all that runs inside, beside the few that the policy gives, and cwd is the
    directory inside in which it begins, relative to the host's working directory; deadline
    is how many seconds a request may take before it is stopped (see DeadlineError), or
    None for no limit; one request's timeout is in its place, where None stands for it
    and float("inf") is no limit. exec, eval, run_file and run_module share one live
    interpreter, which the first of them starts; start runs a program in an interpreter
    of its own.

    Threads may share a sandbox. Its requests, those on files among them, are done one
    at a time, in the order in which they came. A request's time begins when it is
    made. If it is over before the request has had its turn, that is given up and the
    one under way goes on: the DeadlineError has begun == False.

    It belongs to the process that made it. A forked child can do nothing with it, and
    nothing to it: each request there is a RunError."""

    def __init__(self, policy: PolicyLike = "strict", *, python: Optional[str] = None,
                 env: Optional[Mapping[str, str]] = None, cwd: Optional[str] = None,
                 deadline: Optional[float] = DEADLINE):
        self.policy = policy_of(policy)
        check_variables(env)
        self.policy._tell()
        self._python, self._env, self._cwd = python, env, cwd
        self._deadline = amounts.seconds("deadline", deadline)
        self._owner = os.getpid()
        self._grants: Dict[str, Grant] = {}
        self._allowed: tuple[str, ...] = ()
        self._lock = allocate_lock()
        self._turns = Turns()
        self._live: Optional[tuple[Process, Connection]] = None
        self._runs: list[tuple[Process, Connection]] = []
        self._injected: set[str] = set()
        self._events: Optional[Loop] = None
        self._closed = False
        self._ended: Optional[Process] = None
        # AsyncSandbox sets these two.
        self._callers_loop: Optional[asyncio.AbstractEventLoop] = None
        self._scope: Callable[[], Optional[Scope]] = lambda: None

    def __enter__(self: S) -> S:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    def __del__(self) -> None:
        live = getattr(self, "_live", None)
        if live is not None:  # which knows a forked child
            live[1].close()
            if os.getpid() == self._owner:
                live[0].abandon(PATIENCE)
        for process, _ in getattr(self, "_runs", ()):
            process.kill_at_once()
        events = getattr(self, "_events", None)
        if events is not None and os.getpid() == self._owner:
            events.close()

    def close(self) -> None:
        """Ends the live interpreter and all programs that start has begun, and
        revokes every grant. A request that is under way in another thread is ended
        with its guest, by an EndedError; those that wait for their turn are refused. In
        a forked child it ends nothing."""
        if os.getpid() != self._owner:
            return
        with self._lock:
            self._closed = True
            live, self._live = self._live, None
            runs, self._runs = self._runs, []
            if live is not None:
                self._ended = live[0]
        busy = self._turns.close()
        for grant in list(self._grants.values()):
            grant.revoke()
        if live is not None:
            process, connection = live
            process.closed = busy
            connection.close()
            if not busy:
                process.ended(PATIENCE)
        stop([process for process, _ in runs + ([live] if live else [])])
        if self._events is not None:
            self._events.close()
            self._events = None

    @property
    def report(self) -> Optional[Report]:
        """How the live interpreter has ended, once it has or the sandbox is closed.
        None if it never came to life."""
        live = self._live
        try:
            if live is not None:
                return live[0].report(0)
            return self._ended.report() if self._ended is not None else None
        except SandboxError:
            return None  # whoever started it was told

    def audit(self) -> Iterator[Event]:
        """The decisions about the live interpreter, which this starts if need be, as they
        are made and until it has ended. Of what nobody has read, the last 4 MiB are kept."""
        from .results import Event
        process = self._latest() or self._in_turn(None, lambda left: self._start())[0]
        return map(Event.parse, process.audit)

    def _latest(self) -> Optional[Process]:
        """That of the live interpreter, also of one that has ended."""
        forks.check(self._owner)
        live = self._live
        return live[0] if live is not None else self._ended

    # Capabilities

    def grant(self, name: str, thing: Any, methods: Optional[Iterable[str]] = None, *,
              callbacks: bool = False) -> Grant:
        """Lets guest code call the named methods of thing, or all that @expose
        marks, as `from pysandbox_guest import NAME` and as the global NAME, where it
        hides a built-in one of that name, such as print. With callbacks, it may pass
        functions of its own. The Grant takes it back. PolicyError for a keyword, a name
        with a leading underscore or of pysandbox_guest's own, such as error, and one that
        the policy does not grant, if the guest lives: else the first request tells."""
        from .capability import Grant, check_name, facet
        forks.check(self._owner)
        check_name(name)
        if self._allowed and name not in self._allowed:
            raise PolicyError("the policy grants %s, not %s; add it to capabilities.grant" % (
                ", ".join(self._allowed), name))
        own = ref(self)  # a grant must not keep a forgotten sandbox alive, nor must a channel
        grant = Grant(name, callbacks, lambda taken: _forget(own(), taken))
        grant.facet = facet(thing, methods, grant)
        with self._lock:
            if name in self._grants:
                raise PolicyError("a capability %s is granted already; revoke it first" % name)
            self._grants[name] = grant
        return grant

    def _revoke(self, grant: Grant) -> None:
        forks.check(self._owner)
        with self._lock:
            if self._grants.get(grant.name) is grant:
                del self._grants[grant.name]
                self._injected.discard(grant.name)
            guests = self._runs + ([self._live] if self._live else [])
        for _, connection in guests:
            connection.revoke(grant)

    # The live interpreter

    def exec(self, source: str, *, filename: str = "<exec>", timeout: Optional[float] = None) -> Execution:
        """Runs statements in the guest's __main__ and returns what they wrote, or what
        threads of the guest have written at that time; between requests, it is dropped.
        GuestError if they raise; its state stays as it was then."""
        check(source=(source, str), filename=(filename, str))
        return self._run("exec", [source, filename], timeout)

    def eval(self, source: str, *, filename: str = "<eval>", timeout: Optional[float] = None) -> Any:
        """The value of an expression in the guest's __main__: None, bool, int,
        float, str, bytes, and lists (tuples too) and dicts with str keys of them.
        GuestError if it raises or is anything else: type_name is then "TypeError",
        "OverflowError", "ValueError" or "TooLargeError". Its output is dropped."""
        check(source=(source, str), filename=(filename, str))
        return self._request("eval", [source, filename], timeout)

    def run_file(self, path: Union[str, os.PathLike[str]], argv: Sequence[str] = (), *,
                 timeout: Optional[float] = None) -> Execution:
        """Runs a file of the host's, relative to its working directory, in the guest's
        __main__. The host reads it, and inside only its name is known. It may end with
        sys.exit(), if that tells of success; any other is a GuestError."""
        name = os.fspath(path)
        with open(name, "rb") as file:
            source = file.read()
        return self._run("run_file", [os.path.basename(name), source, words(argv)], timeout)

    def run_module(
            self, name: str, argv: Sequence[str] = (), *, timeout: Optional[float] = None) -> Execution:
        """Runs a module as `python -m` does; its names go to __main__, unless it ends
        with sys.exit(), as in run_file."""
        check(name=(name, str))
        return self._run("run_module", [name, words(argv)], timeout)

    def _run(self, method: str, args: list[Any], timeout: Optional[float]) -> Execution:
        execution: Execution = self._in_turn(timeout, lambda left: self._run_now(method, args, left))
        return execution

    def _run_now(self, method: str, args: list[Any], left: Left) -> Execution:
        process, _ = self._start()
        from .results import Execution  # while the guest comes to life
        mark = b"\0" + os.urandom(16)
        problem = None
        try:
            self._request_now(method, args, left, mark=mark)
        except SandboxError as caught:
            if not getattr(caught, "begun", True):
                caught.output = Execution(b"", b"")
                raise
            problem = caught
        stdout, stderr, whole = process.output(mark)
        output = Execution(stdout, stderr)
        if not whole and (problem is None or isinstance(problem, GuestError)):
            problem = process.end_error()
        if problem is not None:
            problem.output = output
            raise problem
        return output

    def _request(
            self, method: str, args: list[Any], timeout: Optional[float] = None) -> Any:
        return self._in_turn(timeout, lambda left: self._request_now(method, args, left))

    def _in_turn(self, timeout: Optional[float], perform: Callable[[Left], Any]) -> Any:
        """Waits for this request's turn, and performs it in the time that is left."""
        seconds = self._seconds(timeout)
        self._check()
        scope = self._scope()
        if scope is not None and scope.left is not None:
            return perform(scope.left)  # AsyncSandbox has waited
        began = monotonic()
        try:
            turn = self._turns.wait(seconds, scope)
        except Closed:
            raise self._closed_error() from None
        try:
            return perform(Left(seconds, monotonic() - began))
        finally:
            self._turns.leave(turn)

    def _closed_error(self) -> EndedError:
        """What a request gets that comes too late. close() may not be done yet."""
        ended = self._ended
        return EndedError("the sandbox is closed", None if ended is None else ended.known_report())

    def _seconds(self, timeout: Optional[float]) -> float:
        return self._deadline if timeout is None else amounts.seconds("timeout", timeout)

    def _check(self) -> None:
        """Refuses a request that could never have its turn."""
        forks.check(self._owner)
        live = self._live
        if live is not None:
            live[1].check()

    def _request_now(self, method: str, args: list[Any], left: Left, **kwargs: Any) -> Any:
        _, connection = self._start()
        with self._lock:
            missing = sorted(set(self._grants) - self._injected)
            self._injected.update(missing)
        if missing:
            try:
                connection.call(0, "inject", [missing], {}, left.seconds, self._scope(), left.waited)
            except BaseException:
                with self._lock:
                    self._injected.difference_update(missing)
                raise
        return connection.call(0, method, args, kwargs, left.seconds, self._scope(), left.waited)

    def _start(self) -> tuple[Process, Connection]:
        with self._lock:
            if self._closed:
                raise self._closed_error()
            if self._live is not None:
                return self._live
        # Without the lock, for close() in a signal handler of this thread's; nobody
        # else launches, as requests take turns.
        live = self._launch([], False, self.policy)
        with self._lock:
            if not self._closed:
                self._live = live
                return live
        stop([live[0]])
        raise self._closed_error()

    def _launch(self, program: Sequence[str], stdin: Union[bool, bytes], policy: Policy,
                env: Optional[Mapping[str, str]] = None,
                sent: Optional[str] = None) -> tuple[Process, Connection]:
        merged = dict(self._env or {})
        merged.update(env or {})
        process = Process(
            policy, program, python=self._python, env=merged, cwd=self._cwd, stdin=stdin)
        from .connection import Connection  # while the guest comes to life
        own = ref(self)
        try:
            connection = Connection(process.channel, self._grants, self._deadline, lambda: _loop_of(own()),
                                    process.kill, process.end_error, sent)
        except SandboxError:
            process.channel.close()
            raise process.end_error() from None
        self._allowed = connection.granted
        forbidden = sorted(set(self._grants) - set(self._allowed)) if self._allowed else []
        if forbidden:
            process.kill()
            connection.start()
            raise PolicyError(
                "the policy does not grant %s; add it to capabilities.grant" % ", ".join(forbidden))
        connection.start()
        return process, connection

    def _loop(self) -> asyncio.AbstractEventLoop:
        """The loop in which async methods of capabilities run."""
        with self._lock:
            if self._callers_loop is not None:
                return self._callers_loop
            if self._events is None:
                if self._closed:
                    raise RunError("the sandbox is closed")
                from .loops import Loop  # with asyncio, which takes longer than all other imports
                self._events = Loop()
            return self._events.loop

    # Programs of their own

    def start(self, source: Optional[str] = None, *, file: Union[str, os.PathLike[str], None] = None,
              module: Optional[str] = None, argv: Sequence[str] = (), env: Optional[Mapping[str, str]] = None,
              stdin: Union[bool, bytes] = False, timeout: Optional[float] = None) -> Run:
        """Starts a program in an interpreter of its own: source, or a file that the host
        can read, relative to its working directory, or a module. argv is sys.argv without
        its first word, env are variables beside those of the sandbox, stdin is all of the
        input as bytes, or True for Run.write, and timeout a limit on the wall clock that
        may only be lower than the policy's. Programs end with their sandbox: when it is
        closed, or when nobody has it or one of its Runs any more."""
        from .run import Run
        if sum(what is not None for what in (source, file, module)) != 1:
            raise TypeError("start() needs one of source, file and module")
        check_variables(env)
        if not isinstance(stdin, (bool, bytes, bytearray, memoryview)):
            raise TypeError("stdin=%r: it is bytes, or True for Run.write" % (stdin,))
        check(source=(source, (str, type(None))), module=(module, (str, type(None))))
        sent = source if source is not None and is_long(source) else None
        if source is not None:
            program = ["-c", source if sent is None else SENT]
        elif module is not None:
            program = ["-m", module]
        else:
            program = [os.path.abspath(os.fspath(file))]  # type: ignore[arg-type]
        forks.check(self._owner)
        policy = self.policy._within(timeout)
        with self._lock:
            if self._closed:
                raise self._closed_error()
        process, connection = self._launch(program + words(argv), stdin, policy, env, sent)
        with self._lock:
            self._runs = [run for run in self._runs if not run[0].ended(0)] + [(process, connection)]
            closed = self._closed
        if closed:  # meanwhile
            stop([process])
            raise self._closed_error()
        return Run(process, connection, self)


def _forget(sandbox: Optional[Sandbox], grant: Grant) -> None:
    if sandbox is not None:
        sandbox._revoke(grant)


def _loop_of(sandbox: Optional[Sandbox]) -> asyncio.AbstractEventLoop:
    if sandbox is None:
        raise RunError("the sandbox is gone")
    return sandbox._loop()
