"""Starts `pysandbox exec` and knows how it ended. What the start does not need is
imported while the sandbox comes to life.
"""
from __future__ import annotations

import os
from errno import E2BIG, EBADF, EMFILE, EPIPE
from _socket import SOCK_CLOEXEC, SOCK_SEQPACKET, socketpair  # socket makes enumerations
from _signal import SIGINT, SIGKILL, SIGTERM  # signal makes enumerations of the same numbers
from _thread import RLock, allocate_lock, start_new_thread  # type: ignore[attr-defined]
from time import monotonic

from .binary import find, is_ours, stranger, unstarted
from .child import Child
from .errors import (
    CancelledError, DeadlineError, EndedError, LimitError, RunError, SandboxError, SetupError, TooLargeError,
    ViolationError, of_limit,
)
from .forks import hold
from .policy import Arguments, Policy, in_memory, said

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Mapping, Optional, Sequence, Union

    from .results import Report, Result

# The numbers of the binary's descriptors.
_REPORT, _AUDIT, _CHANNEL, _POLICY = 3, 4, 5, 6

MARK_PATIENCE = 1.0  # seconds to wait for output that was promised
KILL_PATIENCE = 2.0  # seconds that the supervisor has to end a run and report
STOP_PATIENCE = 0.5  # seconds that a program has for what it does at SIGTERM
END_PATIENCE = 10.0  # seconds that a run may take whose output has ended
REPORT_PATIENCE = 2.0  # seconds that one may take whose channel has ended


class Process:
    """One sandbox: the supervisor's process, its streams and its channel."""

    def __init__(self, policy: Policy, program: Sequence[str], *, python: Optional[str] = None,
                 env: Optional[Mapping[str, str]] = None, cwd: Optional[str] = None,
                 stdin: Union[bool, bytes] = False):
        self.owner = os.getpid()
        self.blame: Optional[Exception] = None  # why we ended it ourselves
        self.closed = False  # with its sandbox, in the middle of a request
        self._known: Optional[Report] = None
        self._result: Optional[Result] = None
        self._lock, self._feeding = allocate_lock(), RLock()
        self.stdin: Optional[int] = None
        self.had_stdin = stdin is True
        try:
            readers = self._begin(policy, _flags(python, env, cwd) + list(program), stdin)
        except OSError as problem:
            raise of_limit(problem) from None
        from .stream import AUDIT_BOUND, Pump, Stream
        streams = [Stream(full=self._flooded), Stream(full=self._flooded), Stream(), Stream(AUDIT_BOUND)]
        self.stdout, self.stderr, self._report, self.audit = streams
        self._pump = Pump(dict(zip(readers, streams)), self._child.wait)
        hold(self)

    def _begin(self, policy: Policy, words: Sequence[str], stdin: Union[bool, bytes]) -> list[int]:
        """Starts the child and returns the descriptors from which its output, its errors,
        its report and its audit trail are read."""
        self.channel, theirs = socketpair(1, SOCK_SEQPACKET | SOCK_CLOEXEC)
        readers: list[int] = []
        writers: list[int] = []
        try:
            while len(readers) < 4:
                reader, writer = os.pipe()
                readers.append(reader)
                writers.append(writer)
            input_end, self.stdin = os.pipe() if stdin is True else (_given(stdin), None)
            writers.append(input_end)
            if self.stdin is not None:
                os.set_blocking(self.stdin, False)
            fds = {0: input_end, _CHANNEL: theirs.fileno()}
            fds.update(zip((1, 2, _REPORT, _AUDIT), writers))
            with Arguments(policy, _POLICY) as arguments:
                self._binary = find()
                command = [self._binary, "exec", "--quiet", "--capabilities=fd:%d" % _CHANNEL,
                           "--report=fd:%d" % _REPORT, "--audit=fd:%d" % _AUDIT]
                self._child = _spawn(command + arguments.flags + list(words), {**fds, **arguments.fds})
        except BaseException:
            for fd in readers:
                os.close(fd)
            self.close_stdin()
            self.channel.close()
            raise
        finally:
            theirs.close()
            for fd in writers:
                os.close(fd)
        return readers

    def forget(self) -> None:
        """Closes what a forked child has got of it."""
        self.channel.close()
        self._feeding = RLock()  # nobody gives the parent's back
        self.close_stdin()
        self._pump.forget()

    def feed(self, data: memoryview) -> int:
        """Writes some of data to the program's input as soon as there is room, and returns
        how many bytes. BrokenPipeError if that is closed meanwhile, by whichever side."""
        from select import POLLOUT, poll
        while True:
            with self._feeding:
                fd = self.stdin
                if fd is None:
                    raise BrokenPipeError(EPIPE, "standard input was closed")
                try:
                    return os.write(fd, data)
                except BlockingIOError:
                    pass
            room = poll()
            room.register(fd, POLLOUT)
            room.poll(100)

    def close_stdin(self) -> None:
        with self._feeding:  # else what is written might go to another file of that number
            fd, self.stdin = self.stdin, None
            if fd is not None:
                os.close(fd)

    def _flooded(self) -> None:
        """Ends a run that has written more than the host keeps for a reader."""
        self.kill(LimitError("output"))

    def kill(self, blame: Optional[Exception] = None) -> None:
        """Ends the whole tree at once, for blame. The supervisor does it, so that
        there is a report, or dies of it."""
        if blame is not None and self.blame is None:
            self.blame = blame
        self._child.send(SIGINT)  # which goes to the guest; the second such signal ends it
        self._child.send(SIGTERM)
        import threading
        try:
            insist = threading.Thread(target=self._insist, args=(KILL_PATIENCE,), daemon=True)
            insist.start()
        except RuntimeError:  # the host itself ends
            self.kill_at_once()

    def _insist(self, seconds: float) -> None:
        if not self._pump.over(seconds):
            self.kill_at_once()

    def abandon(self, seconds: float) -> None:
        """Gives a run so many seconds to end, and does not wait. Nothing here takes a
        lock: a garbage collection may come at any place."""
        try:
            start_new_thread(self._insist, (seconds,))
        except RuntimeError:  # the host itself ends
            self.kill_at_once()

    def kill_at_once(self) -> None:
        """Ends the whole tree without a report."""
        self._child.kill()  # PID 1 of the sandbox dies with its supervisor

    def interrupt(self) -> None:
        """Lets the supervisor pass SIGINT on to the program."""
        self._child.send(SIGINT)

    def terminate(self) -> None:
        """Lets the supervisor pass SIGTERM on to the program, which ends unless it
        handles that; there is still a report."""
        self._child.send(SIGTERM)

    def ended(self, timeout: Optional[float] = None) -> bool:
        """Whether the run is over, if need be after some time."""
        return self._pump.join(timeout)

    def wait(self, timeout: Optional[float] = None) -> Optional[Result]:
        """The result once the run is over, or None if it is not within timeout."""
        report = self.report(timeout)
        if report is None:
            return None
        with self._lock:
            if self._result is None:
                from .results import Result
                stderr = self.stderr.available()
                self._result = Result(report, self.stdout.available(), stderr)
            return self._result

    def report(self, timeout: Optional[float] = None) -> Optional[Report]:
        """The report once the run is over, or None if it is not within timeout. The
        output stays where it is."""
        if os.getpid() != self.owner:
            return self._known
        if not self.ended(timeout):
            return None
        with self._lock:
            if self._known is None:
                self._known = self._read(self._pump.status)
            return self._known

    def _read(self, status: Optional[int]) -> Report:
        from .results import Report  # with dataclasses, which a run need not wait for
        text = self._report.rest()
        if isinstance(self.blame, LimitError):
            from dataclasses import replace
            return replace(Report.parse(text or b"{}"), outcome="limit", reason=self.blame.limit,
                           exit_code=128 + SIGKILL, signal="SIGKILL")
        if text:
            return Report.parse(text)
        if self.blame is not None or status is None or status < 0:
            from signal import Signals
            number = -status if status is not None and status < 0 else SIGKILL  # SIGINT before it began, say
            return Report(outcome="signaled", reason="killed by the host", exit_code=128 + number,
                          signal=Signals(number).name)
        stderr = self.stderr.available()
        raise SetupError(said(stderr)) if is_ours(stderr) else stranger(self._binary, status, stderr)

    def output(self, mark: bytes) -> tuple[bytes, bytes, bool]:
        """What has been written between two marks to the two streams, and whether that
        is all. It is not if the run has ended on the way, of which the answer of a
        guest knows nothing. What stands before them is dropped."""
        until = monotonic() + MARK_PATIENCE
        (stdout, all_of_it), (stderr, all_of_that) = (
            stream.between(mark, until) for stream in (self.stdout, self.stderr))
        whole = all_of_it and all_of_that
        if not whole:  # or the guest has closed its output, and lives
            ends = self.stdout.ended or self.stderr.ended
            whole = not self.ended(END_PATIENCE if ends else 0)
        return stdout, stderr, whole

    def known_report(self) -> Optional[Report]:
        try:
            return self.report(REPORT_PATIENCE)
        except SetupError:
            return None

    def end_error(self) -> SandboxError:
        """Why the run is over, as a typed error."""
        if self.closed:
            return EndedError("the sandbox was closed", self.known_report())
        if isinstance(self.blame, (CancelledError, DeadlineError)):
            return EndedError("the guest was killed by the host: %s" % self.blame,
                              self.known_report())
        if self.blame is not None and not isinstance(self.blame, LimitError):
            return ViolationError("the guest broke the capability channel: %s" % self.blame,
                                  self.known_report())
        try:
            report = self.report(REPORT_PATIENCE)
        except SetupError as problem:
            return problem
        if report is None:
            self.kill()
            return RunError("the sandbox did not end")
        error = report.error()
        if error is not None:
            return error
        return EndedError("the guest has ended with status %d" % report.exit_code, report)


def stop(processes: Sequence[Process]) -> None:
    """Ends several runs, all at the same time. Each has a moment for what it does at
    SIGTERM; then the supervisor ends it."""
    left = [process for process in processes if not process.ended(0)]
    for process in left:
        process.terminate()
    until = monotonic() + STOP_PATIENCE
    for process in left:
        if not process.ended(max(0.0, until - monotonic())):
            process.kill()
    for process in left:
        process.ended()


def _spawn(command: Sequence[str], fds: dict[int, int]) -> Child:
    try:
        return Child(command, fds)
    except OSError as problem:
        if problem.errno == E2BIG:
            raise TooLargeError("an argument or a variable is too long to start a program with: the kernel "
                                "takes at most %d bytes of each" % (128 << 10)) from None  # execve(2)
        if problem.errno in (EMFILE, EBADF):  # the latter for a number that is too high: dup2(2)
            raise of_limit(OSError(EMFILE, problem.strerror)) from None
        raise unstarted(command[0], problem) from None


def _given(data: Union[bool, bytes]) -> int:
    """A descriptor from which a program reads all of its input."""
    if data is False:
        return os.open(os.devnull, os.O_RDONLY)
    return in_memory("stdin", data)  # type: ignore[arg-type]


def check_variables(env: Optional[Mapping[str, str]]) -> None:
    """TypeError or ValueError for what is no environment."""
    for name, value in (env or {}).items():
        if not isinstance(name, str) or not isinstance(value, str):
            raise TypeError("env: %r is %r; names and values are str" % (name, value))
        if not name or "=" in name or "\0" in name + value:
            raise ValueError("env: %r=%r is no variable: a name is not empty and has no =, and neither has a "
                             "zero byte" % (name, value))


def _flags(python: Optional[str], env: Optional[Mapping[str, str]], cwd: Optional[str]) -> list[str]:
    flags = [] if python is None else ["--python=" + str(python)]
    if cwd is not None:
        flags.append("--cwd=" + cwd)
    return flags + ["--env=%s=%s" % item for item in (env or {}).items()]
