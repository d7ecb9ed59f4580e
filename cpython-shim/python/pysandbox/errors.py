"""The errors of this package. No two causes share a class: a mistake in a
policy, a start that failed, a limit, a violation and an exception of the guest
can be told apart by except clauses alone.
"""
from __future__ import annotations

import os
from errno import EFBIG, EMFILE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional, Tuple, Type

    from .results import Execution, Report


class SandboxError(Exception):
    """Every error of this package. output is what a request had written until then, or
    the program of a Result, an Execution, where there was one."""

    output: Optional[Execution] = None

    def __reduce__(self) -> Tuple[Any, ...]:
        """Errors cross between processes: what they were made of need not be what
        Exception keeps of it."""
        return _again, (type(self), self.args), self.__dict__


def _again(kind: Type[SandboxError], args: Tuple[Any, ...]) -> SandboxError:
    """An error as pickle and copy had it, before its attributes are set."""
    return kind.__new__(kind, *args)


class PolicyError(SandboxError):
    """The policy is wrong, or something would widen it."""


class SetupError(SandboxError):
    """The sandbox could not be made: the binary is missing, or the host lacks a
    feature. The message names what is missing and what fixes it."""


class RunError(SandboxError):
    """A run has ended in another way than was asked for. report tells all."""

    def __init__(self, message: str, report: Optional[Report] = None):
        super().__init__(message)
        self.report = report


class LimitError(RunError):
    """A limit ended the run; limit is its name: "wall", "memory", "cpu", "output"."""

    def __init__(self, limit: str, report: Optional[Report] = None):
        super().__init__("the limit on %s ended the run" % limit, report)
        self.limit = limit


class ViolationError(RunError):
    """The guest was killed for what it tried, or broke the capability channel."""


class EndedError(RunError):
    """The guest's process has ended by itself or by a signal, was killed at an earlier
    request's deadline, or was closed; ask report."""


class GuestError(SandboxError):
    """Code in the guest raised. All fields are text as the guest wrote it:
    type_name such as "ValueError", message, and traceback (or ""). str() has the first
    two in one line, where escapes stand for what would move a terminal or end a line of
    a log."""

    def __init__(self, type_name: str, message: str, traceback: str = ""):
        super().__init__(shown("%s: %s" % (type_name, message) if message else type_name))
        self.type_name, self.message, self.traceback = type_name, message, traceback


def shown(text: str) -> str:
    """Text with escapes for what cannot be printed."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class TooLargeError(SandboxError):
    """What was to cross is larger than a sandbox takes: 64 MiB of text (in UTF-8) and
    bytes at a time, and 128 KiB of all else in one request or result: numbers, short
    text, and the structure of lists and dicts. The message names the bound. What is too
    large on its way to the host is a GuestError whose type_name is "TooLargeError"."""


class DeadlineError(SandboxError):
    """The guest did not answer in time. It was asked to stop, by a
    KeyboardInterrupt; if that did not help within a second, it has been killed and
    killed is True. Otherwise the sandbox is as usable as before. begun is False if the
    request waited for its turn until then; nobody was asked to stop."""

    def __init__(self, message: str, killed: bool = False):
        super().__init__(message)
        self.killed, self.begun = killed, True


class CancelledError(SandboxError):
    """The request was cancelled; killed and begun are as in DeadlineError. A task of
    asyncio that is cancelled gets asyncio's error of this name instead."""

    def __init__(self, message: str, killed: bool = False):
        super().__init__(message)
        self.killed, self.begun = killed, True


class RevokedError(SandboxError):
    """What was asked for has been revoked."""


def of_limit(problem: OSError) -> Exception:
    """What to raise in the place of problem: a SetupError where a limit of the host
    process's own (ulimit) was in the way, and problem itself otherwise."""
    if problem.errno == EMFILE:
        return SetupError("only %d files may be open at once in this process (RLIMIT_NOFILE), and the start "
                          "of a sandbox takes some 20 of them; raise that, as with ulimit -n 256"
                          % os.sysconf("SC_OPEN_MAX"))
    if problem.errno == EFBIG:
        return SetupError("a file of this process may not be as large as what its sandbox gets "
                          "(RLIMIT_FSIZE); raise that, as with ulimit -f unlimited")
    return problem
