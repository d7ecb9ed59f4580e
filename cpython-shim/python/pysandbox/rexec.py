"""RExec with the names and the semantics of Python 2, on a boundary that holds:
the cell is a Python in a sandbox of its own. docs/python/from-rexec.md says, name
by name, what is the same and what differs.

    r = RExec()
    r.add_module("__main__").counter = Bastion(Counter())
    r.r_exec("counter.add(2)")
    r.r_eval("counter.get()")
"""
from __future__ import annotations

import io
import os
import threading
from typing import Any, List, Mapping, Optional, Sequence, Tuple, TypeVar, Union

from .bastion import Bastion, BastionClass
from .capability import PLAIN, facet
from .cellhost import FILE_METHODS, CellHost, OwnFile
from .policy import Policy
from .sandbox import Sandbox

__all__ = ["RExec", "RHooks", "Bastion", "BastionClass", "FileBase", "C_EXTENSION", "PY_SOURCE"]

R = TypeVar("R", bound="RExec")
PY_SOURCE, C_EXTENSION = 1, 3  # of the module imp


class FileBase:
    """The methods that files of a cell have."""

    ok_file_methods = FILE_METHODS


class RHooks:
    """How the host finds a cell's modules on ok_path: a file system that a
    subclass may make up. Only source code is ever looked for."""

    def __init__(self, verbose: int = 0):
        self.verbose = verbose

    def path_isfile(self, path: str) -> bool:
        return os.path.isfile(path)

    def openfile(self, path: str, mode: str = "r") -> Any:
        return open(path, mode, encoding=None if "b" in mode else "utf-8")

    def find(self, name: str, path: Sequence[str]) -> Optional[List[Any]]:
        """[source, file name, whether it is a package] of a module, or None."""
        parts = name.split(".")
        if not all(part.isidentifier() for part in parts):
            return None
        for directory in path:
            base = os.path.join(directory, *parts)
            for file, package in ((os.path.join(base, "__init__.py"), True), (base + ".py", False)):
                if self.path_isfile(file):
                    with self.openfile(file) as opened:
                        return [opened.read(), file, package]
        return None


class Module:
    """A module of a cell, in the host's hands: to set or delete a name does so inside,
    to read one asks for plain data. Objects that are no plain data are granted: an
    object with exposed methods, or a Bastion."""

    def __init__(self, cell: RExec, name: str):
        object.__setattr__(self, "_cell", cell)
        object.__setattr__(self, "__name__", name)

    def __setattr__(self, name: str, value: Any) -> None:
        if value is not None and not isinstance(value, PLAIN):
            value = facet(value)
        self._cell._ask("set", [self.__name__, name, value])

    def __delattr__(self, name: str) -> None:
        self._cell._ask("del", [self.__name__, name])

    def __getattr__(self, name: str) -> Any:
        if name[:2] == "__":
            raise AttributeError(name)
        return self._cell._ask("get", [self.__name__, name])

    def __repr__(self) -> str:
        return "<module %r of a cell>" % self.__name__


class RExec:
    """A cell. Subclass it to change the class attributes, which are read when the
    cell is made, or to override r_open, r_import, r_reload and r_unload, which
    code inside reaches under their built-in names. policy and python are those of
    Sandbox; timeout is in seconds, for each request."""

    ok_path: Tuple[str, ...] = ()
    ok_builtin_modules: Tuple[str, ...] = (
        "array", "binascii", "cmath", "errno", "marshal", "math", "operator", "_operator", "select", "struct",
        "_struct", "_sre", "_sha1", "_md5", "time", "_weakref",
        # What the standard library of Python 3 is made of and computes only.
        "_abc", "_ast", "_bisect", "_blake2", "_bz2", "_codecs", "_collections", "_contextvars", "_csv",
        "_datetime", "_decimal", "_elementtree", "_functools", "_hashlib", "_heapq", "_io", "_json",
        "_locale", "_lzma", "_opcode", "_pickle", "_queue", "_random", "_sha2", "_sha256", "_sha3",
        "_sha512", "_signal", "_stat", "_statistics", "_string", "_suggestions", "_symtable", "_sysconfig",
        "_thread", "_tokenize", "_tracemalloc", "_typing", "_uuid", "_warnings", "_zoneinfo", "atexit",
        "gc", "itertools", "pyexpat", "unicodedata", "zlib",
        "builtins", "sys", "posix",
    )
    ok_posix_names: Tuple[str, ...] = (
        "error", "fstat", "listdir", "lstat", "readlink", "stat", "times", "uname", "getpid", "getppid",
        "getcwd", "getuid", "getgid", "geteuid", "getegid",
    )
    ok_sys_names: Tuple[str, ...] = (
        "byteorder", "copyright", "exit", "getdefaultencoding", "getrefcount", "hexversion", "maxsize",
        "maxunicode", "platform", "ps1", "ps2", "version", "version_info",
    )
    nok_builtin_names: Tuple[str, ...] = ("open", "file", "reload", "__import__")
    ok_file_types: Tuple[int, ...] = (C_EXTENSION, PY_SOURCE)

    def __init__(self, hooks: Optional[RHooks] = None, verbose: int = 0, *,
                 policy: Union[Policy, str, Mapping[str, Any]] = "strict", python: Optional[str] = None,
                 timeout: Optional[float] = 60.0):
        self.hooks = hooks or RHooks(verbose)
        self.verbose = verbose
        self.ok_dynamic_modules = self.ok_builtin_modules
        self._sandbox = Sandbox(policy, python=python, deadline=timeout)
        self._nested = threading.local()
        self._ready = False
        self._making = threading.RLock()
        self._streaming = threading.local()  # on: this thread is in s_apply
        self._lent = 0  # requests under way for which the cell has the host's streams
        self._lending = threading.Lock()

    def close(self) -> None:
        """Ends the cell."""
        self._sandbox.close()

    def __enter__(self: R) -> R:
        return self

    def __exit__(self, *_: Any) -> None:
        self.close()

    # Making the cell

    def _ask(self, method: str, args: List[Any]) -> Any:
        self._sandbox._check()  # which a method of the cell's cannot ask, nor wait for
        with self._making:
            self._make()
        return self._sandbox._request("cell", [method, args])

    def _make(self) -> None:
        if not self._ready:
            self._ready = True
            config = {name: list(getattr(self, name)) for name in (
                "ok_path", "ok_builtin_modules", "ok_posix_names", "ok_sys_names", "nok_builtin_names")}
            config["overridden"] = [name for name in ("r_open", "r_import", "r_reload", "r_unload")
                                    if getattr(type(self), name) is not getattr(RExec, name)]
            try:
                self._sandbox._request("cell", ["init", [config, facet(CellHost(self))]])
            except BaseException:
                self._ready = False
                raise
            self.make_initial_modules()

    def make_initial_modules(self) -> None:
        """Called once, when the cell has been made; a subclass may add modules."""

    def add_module(self, mname: str) -> Module:
        """The cell's module of that name, made if it is not there."""
        return Module(self, mname)

    def is_builtin(self, mname: str) -> bool:
        return mname in self.ok_builtin_modules

    def get_suffixes(self) -> List[Tuple[str, str, int]]:
        return [(".py", "r", PY_SOURCE)]

    def load_dynamic(self, name: str, filename: str, file: Any) -> Any:
        """Extension modules come only with the interpreter."""
        raise ImportError("untrusted dynamic module: %s" % name)

    def set_trusted_path(self) -> None:
        """The mounts decide what can be loaded as machine code."""

    def copy_only(self, src: Any, names: Sequence[str]) -> Module:
        """A module of the cell with the named contents of one of the guest's."""
        return self._copy(src, list(names), [])

    def copy_except(self, src: Any, exceptions: Sequence[str]) -> Module:
        return self._copy(src, None, list(exceptions))

    def copy_none(self, src: Any) -> Module:
        return self._copy(src, [], [])

    def _copy(self, src: Any, names: Optional[List[str]], exceptions: List[str]) -> Module:
        name = src if isinstance(src, str) else src.__name__
        self._ask("copy", [name, name, names, exceptions])
        return Module(self, name)

    # Running

    def _run(self, method: str, args: List[Any]) -> Any:
        streams = self._streams()
        self._lend(streams)
        try:
            return self._ask("apply", [method, args, streams])
        finally:
            self._lend(-streams)

    def _lend(self, change: int) -> None:
        with self._lending:
            self._lent += change

    def _lends_streams(self) -> bool:
        """Whether an s_ method is running, in any thread: the cell's calls come in
        on threads of their own."""
        with self._lending:
            return self._lent > 0

    def r_exec(self, code: str) -> None:
        """Runs statements in the cell's __main__, which has no standard streams.
        GuestError if they raise, SystemExit too."""
        self._run("r_exec", [_text(code)])

    def r_eval(self, code: str) -> Any:
        """The value of an expression, which must be plain data."""
        return self._run("r_eval", [_text(code)])

    def r_execfile(self, file: str) -> None:
        """Runs a file that the host reads."""
        with open(file, encoding="utf-8") as opened:
            self._run("r_execfile", [opened.read(), file])

    def r_import(self, mname: str, globals: Any = {}, locals: Any = {}, fromlist: Any = []) -> Module:
        if getattr(self._nested, "on", False):
            return Module(self, mname)  # the cell goes on to import it
        return Module(self, self._run("r_import", [mname]))

    def r_reload(self, m: Any) -> Module:
        if getattr(self._nested, "on", False):
            return Module(self, _name(m))
        return Module(self, self._run("r_reload", [_name(m)]))

    def r_unload(self, m: Any) -> None:
        if not getattr(self._nested, "on", False):
            self._run("r_unload", [_name(m)])

    def s_apply(self, func: Any, args: Sequence[Any] = (), kw: Mapping[str, Any] = {}) -> Any:
        """Calls an r_ method while the cell's streams are the host's."""
        before, self._streaming.on = self._streams(), True
        try:
            return func(*args, **kw)
        finally:
            self._streaming.on = before

    def _streams(self) -> bool:
        """Whether this thread is in s_apply."""
        return getattr(self._streaming, "on", False)

    def s_exec(self, *args: Any) -> None:
        self.s_apply(self.r_exec, args)

    def s_eval(self, *args: Any) -> Any:
        return self.s_apply(self.r_eval, args)

    def s_execfile(self, *args: Any) -> None:
        self.s_apply(self.r_execfile, args)

    def s_import(self, *args: Any) -> Module:
        module: Module = self.s_apply(self.r_import, args)
        return module

    def s_reload(self, *args: Any) -> Module:
        module: Module = self.s_apply(self.r_reload, args)
        return module

    def s_unload(self, *args: Any) -> None:
        self.s_apply(self.r_unload, args)

    # What code inside reaches

    def r_open(self, file: str, mode: str = "r", buf: int = -1) -> Any:
        """Opens a file as the cell sees it, for reading. A subclass may open what
        it likes on the host: the cell gets the methods of the file it returns. What it
        calls this method for, the cell opens itself; the subclass can only return it."""
        if mode not in ("r", "rb"):
            raise OSError("can't open files for writing in restricted mode")
        if getattr(self._nested, "on", False):
            return OwnFile(file, mode, buf)
        data = self._sandbox.read_file(file)
        return io.BytesIO(data) if mode == "rb" else io.StringIO(data.decode())

    def r_exc_info(self) -> Tuple[None, None, None]:
        """Exceptions of a cell are GuestErrors; none is under way in the host."""
        return None, None, None

    # Streams

    def set_files(self) -> None:
        """The s_ methods set them for the time of a call."""

    make_delegate_files = reset_files = save_files = restore_files = set_files


def _text(code: Any) -> str:
    if not isinstance(code, str):
        raise TypeError("code objects do not cross to a cell; pass the source")
    return code


def _name(m: Any) -> str:
    return str(m if isinstance(m, str) else m.__name__)
