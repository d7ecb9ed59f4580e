"""Starts `pysandbox exec` and knows how it ended."""
from __future__ import annotations

import os
import socket
import subprocess
import threading
from typing import Dict, List, Mapping, Optional, Sequence

from .binary import find
from .errors import DeadlineError, RunError, SetupError, ViolationError
from .policy import Arguments, Policy
from .results import Report, Result
from .stream import Pump, Stream


class Process:
    """One sandbox: the supervisor's process, its streams and its channel."""

    def __init__(self, policy: Policy, program: "Sequence[str]", *, python: "Optional[str]" = None,
                 env: "Optional[Mapping[str, str]]" = None, cwd: "Optional[str]" = None,
                 flags: "Sequence[str]" = (), stdin: bool = False):
        self.stdout, self.stderr, self.audit, self._report = Stream(), Stream(), Stream(), Stream()
        self.blame: Optional[Exception] = None  # why we ended it ourselves
        self._result: Optional[Result] = None
        self._lock = threading.Lock()
        self.stdin: Optional[int] = None
        self.channel, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        ends = [os.pipe() for _ in range(4)]
        fds_in, source = (os.pipe() if stdin else (os.open(os.devnull, os.O_RDONLY), None))
        try:
            with Arguments(policy) as arguments:
                command = [find(), "exec", "--quiet", "--capabilities=fd:%d" % theirs.fileno(),
                           "--report=fd:%d" % ends[2][1], "--audit=fd:%d" % ends[3][1]]
                command += arguments.flags + list(flags) + _flags(python, env, cwd) + list(program)
                self._popen = subprocess.Popen(
                    command, stdin=fds_in, stdout=ends[0][1], stderr=ends[1][1],
                    pass_fds=[theirs.fileno(), ends[2][1], ends[3][1]] + arguments.fds)
        except BaseException:
            for reader, _ in ends:
                os.close(reader)
            if source is not None:
                os.close(source)
            self.channel.close()
            raise
        finally:
            theirs.close()
            os.close(fds_in)
            for _, writer in ends:
                os.close(writer)
        self.stdin = source
        streams: Dict[int, Stream] = {}
        for (reader, _), stream in zip(ends, (self.stdout, self.stderr, self._report, self.audit)):
            streams[reader] = stream
        self._pump = Pump(streams, lambda: None)

    def kill(self, blame: "Optional[Exception]" = None) -> None:
        """Ends the whole tree at once; blame is what result() will raise."""
        if blame is not None and self.blame is None:
            self.blame = blame
        try:
            self._popen.kill()  # PID 1 of the sandbox dies with its supervisor
        except OSError:
            pass

    def interrupt(self) -> None:
        """Asks the supervisor to end the run, which still gives a report."""
        try:
            self._popen.terminate()
        except OSError:
            pass

    def wait(self, timeout: "Optional[float]" = None) -> "Optional[Result]":
        """The result once the run is over, or None if it is not within timeout."""
        try:
            status = self._popen.wait(timeout)
        except subprocess.TimeoutExpired:
            return None
        if not self._pump.join(timeout):
            return None
        with self._lock:
            if self._result is None:
                self._result = self._read(status)
            return self._result

    def _read(self, status: int) -> Result:
        text = self._report.rest()
        stderr = self.stderr.available()
        if text:
            report = Report.parse(text)
        elif self.blame is not None or status < 0:
            report = Report(outcome="signaled", reason="killed by the host", exit_code=137, signal="SIGKILL")
        else:
            raise SetupError(stderr.decode("utf-8", "replace").replace("pysandbox: ", "").strip() or
                             "the supervisor ended with status %d and no report" % status)
        return Result(report, self.stdout.available(), stderr)

    def end_error(self, timeout: float = 10.0) -> Exception:
        """Why the run is over, as a typed error."""
        if isinstance(self.blame, DeadlineError):
            return self.blame
        if self.blame is not None:
            return ViolationError("the guest broke the capability channel: %s" % self.blame)
        try:
            result = self.wait(timeout)
        except SetupError as problem:
            return problem
        if result is None:
            self.kill()
            return RunError("the sandbox did not end")
        problem = result.report.error()
        if problem is not None:
            return problem
        return RunError("the guest has ended with status %d" % result.exit_code, result.report)


def _flags(python: "Optional[str]", env: "Optional[Mapping[str, str]]", cwd: "Optional[str]") -> "List[str]":
    flags = [] if python is None else ["--python=" + str(python)]
    if cwd is not None:
        flags.append("--cwd=" + cwd)
    return flags + ["--env=%s=%s" % item for item in (env or {}).items()]
