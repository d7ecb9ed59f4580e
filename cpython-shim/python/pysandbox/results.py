"""What a run amounts to: frozen copies of the supervisor's report, whose JSON
form is documented in docs/report.md.
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
    """The layers that were in force, as they were read back. userns and netns tell of
    the namespaces, landlock is the version of its interface (0 is none), seccomp tells
    of the filter and notify of the calls that the supervisor decides, and cgroup is the
    kind of control group that holds the limits of the whole tree: "v1", "v2",
    "systemd", or "none", where each process has its own."""

    userns: bool = False
    netns: bool = False
    landlock: int = 0
    seccomp: bool = False
    notify: bool = False
    cgroup: str = "none"


@dataclass(frozen=True)
class Usage:
    """What a run has used: wall_seconds and cpu_seconds in seconds, peak_memory_bytes
    in bytes, and peak_pids, the most processes and threads at a time. whole_tree names
    the fields that count all processes together; of others it may be more."""

    wall_seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory_bytes: int = 0
    peak_pids: int = 0
    whole_tree: Tuple[str, ...] = ()


@dataclass(frozen=True)
class Violation:
    """One kind of denied operation. operation is what was tried, such as "connect", and
    target on what, such as "tcp://203.0.113.9:443"; rule is what denied it, errno the
    name of what the program got, count how often it was tried, and hint what would
    allow it, or "". where is "file:line", or "file:line in function", if the guest said
    it; source is then "guest": helpful, and no proof."""

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
    "limit", "violation", "setup_failed", "internal"; reason says more: the name of the
    limit, or a sentence. exit_code is the status as a shell has it, and signal the name
    of the one that ended the program, such as "SIGKILL", or "". tier names the
    isolation, layers what it was made of, and usage what the run has used. limits_hit
    names limits that were met and survived. Of violations there is one for
    each kind, and violations_dropped counts the calls of those that had no room.
    audit_incomplete says what the audit trail lacks and why, or "".
    docs/report.md has each field in full."""

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
    audit_incomplete: str = ""

    @classmethod
    def parse(cls, text: str | bytes) -> Report:
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

    def error(self) -> Optional[SandboxError]:
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
    """One record of the audit trail. source is "kernel" or "guest", verdict is "allow",
    "deny" or "ask"; operation, target, rule, errno, hint and where are as in Violation,
    and "" where the record has none. raw is the whole record, with what has no field
    here, such as its time."""

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
    def parse(cls, line: str | bytes) -> Event:
        """The record in a line of an audit trail."""
        raw = json.loads(line)
        return cls(raw=raw, **_known(cls, {k: v for k, v in raw.items() if k != "raw"}))


@dataclass(frozen=True)
class Execution:
    """What one request to a live sandbox has written: the bytes of stdout and stderr,
    each by itself."""

    stdout: bytes = b""
    stderr: bytes = b""


@dataclass(frozen=True)
class Result:
    """A run that is over: stdout and stderr are the bytes that it has written, as far
    as nobody has read them from the Run before, and report tells how it ended. The
    common fields of the report are here too."""

    report: Report
    stdout: bytes = b""
    stderr: bytes = b""

    @property
    def exit_code(self) -> int:
        """As in Report."""
        return self.report.exit_code

    @property
    def outcome(self) -> str:
        """As in Report."""
        return self.report.outcome

    @property
    def signal(self) -> str:
        """As in Report."""
        return self.report.signal

    @property
    def limit(self) -> str:
        """The name of the limit that ended the run, or ""."""
        return self.report.reason if self.outcome in ("timeout", "limit") else ""

    @property
    def usage(self) -> Usage:
        """As in Report."""
        return self.report.usage

    @property
    def violations(self) -> Tuple[Violation, ...]:
        """As in Report."""
        return self.report.violations

    def check(self) -> Result:
        """This result, or the typed error of a run that did not exit with 0, whose
        output has stdout and stderr."""
        problem = self.report.error()
        if problem is None and self.exit_code != 0:
            problem = EndedError("the program exited with status %d" % self.exit_code, self.report)
        if problem is None:
            return self
        problem.output = Execution(self.stdout, self.stderr)
        raise problem


def _known(cls: type, raw: Mapping[str, Any]) -> Dict[str, Any]:
    names = {field.name for field in dataclasses.fields(cls)}
    return {key: value for key, value in raw.items() if key in names and value is not None}
