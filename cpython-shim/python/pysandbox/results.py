"""What a run amounts to: frozen copies of the supervisor's report, whose JSON
form is documented in docs/man/pysandbox.1.md.
"""
from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass
from typing import Any, Dict, Mapping, Optional, Tuple

from .errors import EndedError, LimitError, RunError, SandboxError, SetupError, ViolationError
from .policy import in_our_words


@dataclass(frozen=True)
class Layers:
    """The layers that were in force."""

    userns: bool = False
    netns: bool = False
    landlock: int = 0
    seccomp: bool = False
    notify: bool = False
    cgroup: str = "none"


@dataclass(frozen=True)
class Usage:
    """What a run has used: seconds, bytes, processes and threads. whole_tree names
    the fields that count all processes together; of others it may be more."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    peak_pids: int = 0
    whole_tree: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """One kind of denied operation. where is "file:line" if the guest said it;
    source is then "guest": helpful, and no proof."""

    operation: str = ""
    target: str = ""
    rule: str = ""
    errno: str = ""
    count: int = 1
    hint: str = ""
    where: str = ""
    source: str = "kernel"


@dataclass(frozen=True)
class Report:
    """How a run ended. outcome is one of "exited", "signaled", "timeout",
    "limit", "violation", "setup_failed", "internal"."""

    outcome: str = "internal"
    reason: str = ""
    exit_code: int = 125
    signal: str = ""
    tier: str = ""
    layers: Layers = Layers()
    usage: Usage = Usage()
    limits_hit: Tuple[str, ...] = ()
    violations: Tuple[Violation, ...] = ()
    violations_dropped: int = 0

    @classmethod
    def parse(cls, text: "str | bytes") -> "Report":
        """The report in its JSON form; what a later version adds is left out."""
        raw = json.loads(text)
        values = _known(cls, raw)
        values["layers"] = Layers(**_known(Layers, raw.get("layers") or {}))
        usage = _known(Usage, raw.get("usage") or {})
        usage["whole_tree"] = tuple(usage.get("whole_tree") or ())
        values["usage"] = Usage(**usage)
        values["limits_hit"] = tuple(raw.get("limits_hit") or ())
        values["violations"] = tuple(Violation(**_known(Violation, v)) for v in raw.get("violations") or ())
        return cls(**values)

    @property
    def ok(self) -> bool:
        """Whether the program ended by itself with status 0."""
        return self.outcome == "exited" and self.exit_code == 0

    def error(self) -> "Optional[SandboxError]":
        """The typed error of a run that did not end by itself, or None."""
        if self.outcome == "exited":
            return None
        if self.outcome in ("timeout", "limit"):
            return LimitError(self.reason, self)
        if self.outcome == "violation":
            return ViolationError("the run was ended for a violation: " + self.reason, self)
        if self.outcome == "signaled":
            return EndedError("the guest was ended by %s" % self.signal, self)
        if self.outcome == "setup_failed":
            return SetupError(in_our_words(self.reason))
        return RunError("pysandbox failed: " + self.reason, self)


@dataclass(frozen=True)
class Event:
    """One record of the audit trail; source is "kernel" or "guest"."""

    source: str = ""
    verdict: str = ""
    operation: str = ""
    target: str = ""
    rule: str = ""
    errno: str = ""
    hint: str = ""
    where: str = ""
    raw: Mapping[str, Any] = dataclasses.field(default_factory=dict)

    @classmethod
    def parse(cls, line: "str | bytes") -> "Event":
        raw = json.loads(line)
        return cls(raw=raw, **_known(cls, {k: v for k, v in raw.items() if k != "raw"}))


@dataclass(frozen=True)
class Execution:
    """What one request to a live sandbox has written."""

    stdout: bytes = b""
    stderr: bytes = b""


@dataclass(frozen=True)
class Result:
    """A run that is over: its output, as far as nobody read it before, and the
    report. The common fields of the report are here too."""

    report: Report
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def exit_code(self) -> int:
        return self.report.exit_code

    @property
    def outcome(self) -> str:
        return self.report.outcome

    @property
    def signal(self) -> str:
        return self.report.signal

    @property
    def limit(self) -> str:
        """The name of the limit that ended the run, or ""."""
        return self.report.reason if self.outcome in ("timeout", "limit") else ""

    @property
    def usage(self) -> Usage:
        return self.report.usage

    @property
    def violations(self) -> Tuple[Violation, ...]:
        return self.report.violations

    def check(self) -> "Result":
        """This result, or the typed error of a run that did not exit with 0."""
        problem = self.report.error()
        if problem is not None:
            raise problem
        if self.exit_code != 0:
            raise EndedError("the program exited with status %d" % self.exit_code, self.report)
        return self


def _known(cls: type, raw: Mapping[str, Any]) -> "Dict[str, Any]":
    names = {field.name for field in dataclasses.fields(cls)}
    return {key: value for key, value in raw.items() if key in names and value is not None}
