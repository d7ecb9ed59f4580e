"""Policies as the host's code names them. The binary reads and judges them: this
package only passes them on, and holds that `narrow` never widens one.
"""
from __future__ import annotations

import os

from .binary import find, is_ours, stranger, unstarted
from .errors import PolicyError, SandboxError, SetupError, of_limit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Dict, List, Mapping, Optional, Sequence, Tuple, Union

    from .amounts import Value

    PolicyLike = Union["Policy", str, Mapping[str, Any], os.PathLike[str]]

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

_PATHS = {"files": ("read", "write", "exec"), "network": ("unix",), "process": ("cwd", "spawn"),
          "python": ("interpreter",)}  # the keys of a policy that hold some

_MEMFD = "/proc/self/fd/"  # where the binary reads a policy that is in no file

# What the host's code wrote where the binary names a flag.
_PARAMETERS = {"--policy": "Policy.load()", "--deny-net": "narrow(deny_net)", "--cwd": "cwd",
               "--python": "python", "--env": "env"}
_PARAMETERS.update((flag, "narrow(%s)" % name) for name, (flag, _, _) in _LIMITS.items())


class Policy:
    """A policy that does not change. Make one by preset, load or parse."""

    def __init__(self) -> None:
        self._base: Tuple[str, Any] = ("preset", "strict")
        self._flags: Tuple[str, ...] = ()
        self._plan: Optional[Dict[str, Any]] = None
        self._lacks: Tuple[str, ...] = ()  # what this host does not hold as it was asked for

    @classmethod
    def preset(cls, name: str) -> Policy:
        """A shipped policy: "strict", "http-only", "web-client" or "worker"."""
        if name not in PRESETS:
            raise PolicyError("%r is no preset; there are %s; a file is read by Policy.load" % (
                name, ", ".join(PRESETS)))
        return cls._of("preset", name)

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Policy:
        """The policy in a TOML or JSON file. PolicyError names file and line of
        every mistake."""
        policy = cls._of("file", os.path.abspath(os.fspath(path)))
        policy.plan()
        return policy

    @classmethod
    def parse(cls, document: Mapping[str, Any]) -> Policy:
        """The policy in a dict with the keys of a policy file. Relative paths
        are relative to the working directory. PolicyError names the key of every
        mistake."""
        from .document import checked, copied
        if not hasattr(document, "keys"):
            raise TypeError("document is of type %s; it must be a dict with the keys of a policy file, and a "
                            "file is read by Policy.load" % type(document).__name__)
        own = copied(document)
        own.setdefault("version", 1)
        _make_absolute(own)
        if isinstance(own.get("replace"), dict):
            _make_absolute(own["replace"])
        base = own.get("extends")
        if isinstance(base, str) and ("/" in base or base.endswith((".toml", ".json"))):
            own["extends"] = os.path.abspath(base)
        policy = cls._of("document", checked(own))
        policy.plan()
        return policy

    @classmethod
    def _of(cls, kind: str, base: Any) -> Policy:
        policy = cls()
        policy._base = (kind, base)
        return policy

    def narrow(self, *, deny_net: Union[str, Sequence[str]] = (), **limits: Value) -> Policy:
        """A policy with lower limits and more that is denied: wall and cpu (seconds,
        or a text such as "1m30s"), memory, file_size, tmp_size and output (bytes, or a
        text such as "64MiB" or "64k"), pids, open_files, and deny_net (a rule, or
        several). PolicyError if a limit would grow."""
        from .amounts import amount, spelled
        narrower = Policy._of(*self._base)
        flags: List[str] = list(self._flags)
        have = self.plan()["Limits"]
        for name, value in limits.items():
            if name not in _LIMITS:
                raise PolicyError("narrow() has no %s; there are deny_net, %s" % (name, ", ".join(_LIMITS)))
            flag, field, unit = _LIMITS[name]
            wanted = amount(name, value, unit)
            limit = int(have.get(field) or 0)
            if limit and wanted > limit:
                raise PolicyError(
                    "narrow(%s=%r) would widen the policy, whose limits.%s is %s; raise it there, as with "
                    "Policy.parse or in the policy's file" % (name, value, name, spelled(limit, unit)))
            flags.append("%s=%s" % (flag, spelled(wanted, unit)))
        flags += ["--deny-net=" + rule for rule in ([deny_net] if isinstance(deny_net, str) else deny_net)]
        narrower._flags = tuple(flags)
        narrower.plan()
        return narrower

    def _within(self, timeout: Optional[float]) -> Policy:
        """A policy with that limit on the wall clock, which Sandbox.start was given."""
        if timeout is None or timeout == float("inf"):
            return self
        try:
            return self.narrow(wall=timeout)
        except PolicyError as problem:
            raise PolicyError(str(problem).replace("narrow(wall=", "start(timeout=")) from None

    def plan(self) -> Dict[str, Any]:
        """The plan that the binary makes of this policy on this host, as `explain
        --format=json` prints it under "plan". PolicyError if it is wrong."""
        if self._plan is None:
            try:
                explained = self._explained()
            except OSError as problem:
                raise of_limit(problem) from None
            self._plan = explained["plan"]
            texts = [in_our_words(text) for text in explained["exec_warnings"]]
            modules = [text for text in texts if "python.modules." in text]
            self._lacks = tuple(text for text in texts if text not in modules)
            if not self._flags:  # narrow has made it of one that has told this
                _warn(modules)
        return self._plan

    def _explained(self) -> Dict[str, Any]:
        import json
        import subprocess
        with Arguments(self) as arguments:
            binary = find()
            command = [binary, "explain", "--format=json"] + arguments.flags + ["-c", ""]
            try:
                done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True,
                                      pass_fds=list(arguments.fds.values()))
            except OSError as problem:
                raise unstarted(binary, problem) from None
        if done.returncode != 0 and is_ours(done.stderr):
            raise _refusal(said(done.stderr))
        try:
            explained: Dict[str, Any] = json.loads(done.stdout)
            explained["plan"], explained["exec_warnings"]
        except (ValueError, LookupError, TypeError):
            raise stranger(binary, done.returncode, done.stderr) from None
        return explained

    def _tell(self) -> None:
        """Tells the host's operator, for one sandbox, what this host does not hold as
        it was asked for. Of a preset as it is, nobody asked for anything."""
        _warn(self._lacks)

    def __repr__(self) -> str:
        name = self._base[1] if self._base[0] != "document" else "document"
        return "<Policy %s%s>" % (name, "".join(" " + flag for flag in self._flags))


def _make_absolute(tables: Dict[str, Any]) -> None:
    """The paths in a document, which has no directory for the binary, and is relative to
    the working directory. What is no path or list of them, the binary tells."""
    for table, keys in _PATHS.items():
        values: Any = tables.get(table)
        for key in keys if isinstance(values, dict) else ():
            value, bare = values.get(key), table == "files" or key == "unix"
            if isinstance(value, (list, tuple)):
                values[key] = [_absolute(item, bare) for item in value]
            elif key != "spawn" and table != "files" and isinstance(value, (str, os.PathLike)):
                values[key] = _absolute(value, key == "cwd")


def _absolute(item: Any, bare: bool) -> Any:
    """A path. Of what may be a name or a version too, a path has a slash; of one in a home
    (~) the binary says that it is not expanded."""
    if isinstance(item, os.PathLike):
        return os.path.abspath(item)
    if not isinstance(item, str) or item[:1] in ("", "~") or not (bare or "/" in item):
        return item
    return os.path.abspath(item)


def _refusal(text: str) -> SandboxError:
    """A policy that is right, and more than this host can enforce or the limits of its
    process leave room for (ulimit), is none of the policy's mistakes."""
    if "(RLIMIT_" in text or all("it cannot be enforced on this host" in line for line in text.splitlines()):
        return SetupError(text)
    return PolicyError(text)


def _warn(texts: Sequence[str]) -> None:
    if texts:
        import logging
        for text in texts:
            logging.getLogger("pysandbox").warning("%s", text)


class Arguments:
    """The flags by which the binary gets a policy, and the descriptors that they
    name, by their numbers in the binary's process, open for the length of a with
    statement. number is the one that is free there; without it they keep theirs."""

    def __init__(self, policy: Policy, number: Optional[int] = None) -> None:
        kind, base = policy._base
        self.fds: Dict[int, int] = {}
        self.flags: List[str] = []
        if kind == "preset":
            self.flags.append("--preset=" + base)
        elif kind == "file":
            self.flags.append("--policy=" + base)
        else:
            import json
            fd = in_memory("policy.json", json.dumps(base).encode())
            self.fds[fd if number is None else number] = fd
            self.flags.append("--policy=%s%d" % (_MEMFD, fd if number is None else number))
        self.flags += policy._flags

    def __enter__(self) -> Arguments:
        return self

    def __exit__(self, *_: object) -> None:
        for fd in self.fds.values():
            os.close(fd)


def in_memory(name: str, data: bytes) -> int:
    """A descriptor from which a child reads data."""
    fd = os.memfd_create(name)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(fd, view):]
        os.lseek(fd, 0, os.SEEK_SET)
    except BaseException:
        os.close(fd)
        raise
    return fd


def said(stderr: bytes) -> str:
    """What the binary said, without its prefix."""
    lines = stderr.decode("utf-8", "replace").strip().splitlines()
    return "\n".join(
        in_our_words(line[11:] if line.startswith("pysandbox: ") else line) for line in lines)


def in_our_words(text: str) -> str:
    """A line of the binary's for who has written no flag, but a parameter. A dict has
    no file: it is "policy", and its only line has no number."""
    place, colon, rest = text.partition(": ")
    if colon and place in _PARAMETERS:
        text = _PARAMETERS[place] + ": " + rest
    if _MEMFD in text:
        import re
        text = re.sub(_MEMFD + r"[0-9]+(:[0-9]+:[0-9]+)?", "policy", text)
    return text


def policy_of(given: PolicyLike) -> Policy:
    """The Policy that somebody means."""
    if isinstance(given, Policy):
        return given
    if isinstance(given, str):
        return Policy.preset(given)
    if isinstance(given, os.PathLike):
        return Policy.load(given)
    if hasattr(given, "keys"):
        return Policy.parse(given)
    raise TypeError("policy=%r: it is a Policy, the name of a preset, a dict or a Path" % (given,))
