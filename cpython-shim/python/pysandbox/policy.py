"""Policies as the host's code names them. The binary reads and judges them: this
package only passes them on, and holds that `narrow` never widens one.
"""
from __future__ import annotations

import os

from .binary import find
from .errors import PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

    Value = Union[int, float, str]

PRESETS = ("strict", "http-only", "web-client", "worker")

_LIMITS = {  # keyword of narrow: (flag, field of the plan, unit)
    "wall": ("--timeout", "Wall", "time"),
    "cpu": ("--cpu", "CPU", "time"),
    "memory": ("--memory", "Memory", "size"),
    "pids": ("--pids", "Pids", "count"),
    "open_files": ("--open-files", "OpenFiles", "count"),
    "file_size": ("--file-size", "FileSize", "size"),
    "tmp_size": ("--tmp-size", "TmpSize", "size"),
    "output": ("--output", "Output", "size"),
}
_TIMES = {"ms": 10**6, "s": 10**9, "m": 60 * 10**9, "h": 3600 * 10**9}
_SIZES = {"": 1, "K": 2**10, "M": 2**20, "G": 2**30, "KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


class Policy:
    """A policy that does not change. Make one by preset, load or parse."""

    def __init__(self) -> None:
        self._base: Tuple[str, Any] = ("preset", "strict")
        self._flags: Tuple[str, ...] = ()
        self._plan: Optional[Dict[str, Any]] = None

    @classmethod
    def preset(cls, name: str) -> "Policy":
        """A shipped policy: "strict", "http-only", "web-client" or "worker"."""
        if name not in PRESETS:
            raise PolicyError("%r is no preset; there are %s" % (name, ", ".join(PRESETS)))
        return cls._of("preset", name)

    @classmethod
    def load(cls, path: "str | os.PathLike[str]") -> "Policy":
        """The policy in a TOML or JSON file. PolicyError names file and line of
        every mistake."""
        policy = cls._of("file", os.path.abspath(os.fspath(path)))
        policy.plan()
        return policy

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> "Policy":
        """The policy in a dict with the keys of a policy file. Relative paths
        are relative to the working directory."""
        from copy import deepcopy
        copied = deepcopy(dict(document))
        copied.setdefault("version", 1)
        files = copied.get("files") or {}
        for key in ("read", "write", "exec"):
            if key in files:
                files[key] = [os.path.abspath(path) for path in files[key]]
        base = copied.get("extends")
        if isinstance(base, str) and ("/" in base or base.endswith((".toml", ".json"))):
            copied["extends"] = os.path.abspath(base)
        policy = cls._of("document", copied)
        policy.plan()
        return policy

    @classmethod
    def _of(cls, kind: str, base: Any) -> "Policy":
        policy = cls()
        policy._base = (kind, base)
        return policy

    def narrow(self, *, deny_net: Sequence[str] = (), **limits: Value) -> "Policy":
        """A policy with lower limits and more that is denied: wall and cpu (seconds
        or "10s"), memory, file_size, tmp_size and output (bytes or "64MiB"), pids,
        open_files, and deny_net (rules). PolicyError if a limit would grow."""
        narrower = Policy._of(*self._base)
        flags: List[str] = list(self._flags)
        have = self.plan()["Limits"]
        for name, value in limits.items():
            if name not in _LIMITS:
                raise PolicyError("narrow() has no %s; there are deny_net, %s" % (name, ", ".join(_LIMITS)))
            flag, field, unit = _LIMITS[name]
            wanted = _number(name, value, unit)
            limit = int(have.get(field) or 0)
            if wanted <= 0 or limit and wanted > limit:
                raise PolicyError("narrow(%s=%r) would widen the policy, whose limit is %s" % (
                    name, value, _say(limit, unit)))
            flags.append("%s=%s" % (flag, _say(wanted, unit)))
        flags += ["--deny-net=" + rule for rule in deny_net]
        narrower._flags = tuple(flags)
        narrower.plan()
        return narrower

    def plan(self) -> Dict[str, Any]:
        """The plan that the binary makes of this policy on this host, as `explain
        --format=json` prints it under "plan". PolicyError if it is wrong."""
        if self._plan is None:
            import json
            import subprocess
            with Arguments(self) as arguments:
                command = [find(), "explain", "--format=json"] + arguments.flags + ["-c", ""]
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                      pass_fds=list(arguments.fds.values()))
            if done.returncode != 0:
                raise PolicyError(_message(done.stderr))
            self._plan = json.loads(done.stdout)["plan"]
        return self._plan

    def __repr__(self) -> str:
        name = self._base[1] if self._base[0] != "document" else "document"
        return "<Policy %s%s>" % (name, "".join(" " + flag for flag in self._flags))


class Arguments:
    """The flags by which the binary gets a policy, and the descriptors that they
    name, by their numbers in the binary's process, open for the length of a with
    statement. number is the one that is free there; without it they keep theirs."""

    def __init__(self, policy: Policy, number: "Optional[int]" = None) -> None:
        kind, base = policy._base
        self.fds: Dict[int, int] = {}
        self.flags: List[str] = []
        if kind == "preset":
            self.flags.append("--preset=" + base)
        elif kind == "file":
            self.flags.append("--policy=" + base)
        else:
            import json
            fd = os.memfd_create("policy.json")
            os.write(fd, json.dumps(base).encode())
            self.fds[fd if number is None else number] = fd
            self.flags.append("--policy=/proc/self/fd/%d" % (fd if number is None else number))
        self.flags += policy._flags

    def __enter__(self) -> "Arguments":
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self.fds.values():
            os.close(fd)


def _number(name: str, value: Value, unit: str) -> int:
    """A limit in nanoseconds, bytes or pieces."""
    units = {"time": _TIMES, "size": _SIZES, "count": {"": 1}}[unit]
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return int(value * (10**9 if unit == "time" else 1))
    text = str(value).strip()
    digits = text.rstrip("KMGiBmsh ")
    suffix = text[len(digits):].strip()
    try:
        return int(float(digits) * units[suffix])
    except (KeyError, ValueError):
        raise PolicyError("%s=%r is no %s, such as %s" % (
            name, value, {"time": "duration", "size": "size", "count": "number"}[unit],
            {"time": '"10s"', "size": '"64MiB"', "count": "16"}[unit])) from None


def _say(number: int, unit: str) -> str:
    if unit == "time":
        return "%dms" % max(1, number // 10**6)
    return str(number)


def _message(stderr: bytes) -> str:
    """What the binary said, without its prefix."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return "\n".join(
        line[11:] if line.startswith("pysandbox: ") else line for line in lines) or "the policy was refused"
