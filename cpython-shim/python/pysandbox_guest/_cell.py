"""The inside of pysandbox.rexec: a __main__ with the built-in names, modules and
streams that an RExec of Python 2 gave. None of it protects anything: it keeps
programs that were written for rexec working.
"""
import builtins
import importlib
import sys
from importlib.machinery import ExtensionFileLoader, ModuleSpec, PathFinder

from ._channel import Capability

state = {}  # what init was told, and "host", the capability to ask


class Streams:
    """sys.stdin, sys.stdout or sys.stderr of the host, whatever those are at the
    time of each call. close() only flushes."""

    def __init__(self, name):
        self.name = self._name = name
        self.encoding, self.errors = "utf-8", "strict"

    def write(self, text):
        state["host"].write(self._name, text)
        return len(text)

    def writelines(self, lines):
        for line in lines:
            self.write(line)

    def flush(self):
        state["host"].flush(self._name)

    close = flush

    def read(self, size=-1):
        return state["host"].read(self._name, size)

    def readline(self, size=-1):
        return state["host"].readline(self._name, size)

    def readlines(self):
        return list(self)

    def __iter__(self):
        return iter(self.readline, "")

    def isatty(self):
        return False


class HostFile:
    """A file that the host's r_open has opened."""

    def __init__(self, remote):
        self._remote = remote

    def __getattr__(self, name):
        return getattr(self._remote, name)

    def __iter__(self):
        while True:
            line = self._remote.readline()
            if not line:
                return
            yield line

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._remote.close()


def request(connection, main, method, args):
    return {"init": init, "run": run, "apply": apply, "set": set_name, "get": get_name, "del": delete_name,
            "copy": copy}[method](main, *args)


def init(main, config, host):
    state.update(config, host=host, main=main)
    state["modules"] = modules = {"__main__": main}
    cell = type(sys)("__builtin__")
    for name, value in vars(builtins).items():
        if name not in config["nok_builtin_names"]:
            setattr(cell, name, value)
    cell.__import__, cell.reload, cell.unload = r_import, r_reload, r_unload
    cell.open = cell.file = r_open
    modules["__builtin__"] = modules["builtins"] = cell
    main.__dict__["__builtins__"] = cell
    modules["sys"] = make_sys(config)
    modules["posix"] = modules["os"] = make_os(config)
    sys.meta_path.insert(0, Finder(config["ok_builtin_modules"]))
    sys.meta_path.append(HostFinder())


def make_sys(config):
    cell = type(sys)("sys")
    for name in config["ok_sys_names"]:
        if hasattr(sys, name):
            setattr(cell, name, getattr(sys, name))
    cell.modules, cell.argv, cell.path = state["modules"], ["RESTRICTED"], list(config["ok_path"])
    cell.exc_info = r_exc_info
    return cell


def make_os(config):
    import os
    cell = type(sys)("posix")
    for name in config["ok_posix_names"]:
        if hasattr(os, name):
            setattr(cell, name, getattr(os, name))
    cell.environ, cell.name, cell.path = dict(os.environ), os.name, os.path
    return cell


class Finder:
    """Refuses built-in and extension modules that are not in the list. What the
    interpreter itself needs to start is in it already."""

    def __init__(self, names):
        self._ok = set(names)

    def find_spec(self, name, path=None, target=None):
        if name in self._ok:
            return None
        if name in sys.builtin_module_names:
            raise ModuleNotFoundError("No module named %r" % name, name=name)
        if self._is_extension(name, path):
            raise ImportError("untrusted dynamic module: %s" % name, name=name)
        return None

    def _is_extension(self, name, path):
        spec = PathFinder.find_spec(name, path)
        return spec is not None and isinstance(spec.loader, ExtensionFileLoader)


class HostFinder:
    """Finds modules through the host's hooks: source code of ok_path, by name."""

    def find_spec(self, name, path=None, target=None):
        found = state["host"].load(name)
        if found is None:
            return None
        source, filename, is_package = found
        spec = ModuleSpec(name, Source(source, filename), origin=filename, is_package=is_package)
        spec.has_location = True
        return spec


class Source:
    """Loads what the host has sent."""

    def __init__(self, source, filename):
        self._source, self._filename = source, filename

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        module.__dict__["__builtins__"] = state["modules"]["builtins"]
        exec(compile(self._source, self._filename, "exec", dont_inherit=True), module.__dict__)

    def get_source(self, name):
        return self._source


def r_import(name, globals=None, locals=None, fromlist=(), level=0):
    if "r_import" in state["overridden"]:
        state["host"].hook("r_import", name)
    own = state["modules"].get(name)
    if own is not None and not level:
        return own
    module = builtins.__import__(name, globals, locals, fromlist, level)
    top = name.partition(".")[0]
    if not level and top:
        state["modules"][top] = sys.modules.get(top, module)
    return module


def r_reload(module):
    if "r_reload" in state["overridden"]:
        state["host"].hook("r_reload", getattr(module, "__name__", str(module)))
    if isinstance(module, str):
        module = state["modules"][module]
    return importlib.reload(module)


def r_unload(module):
    name = module if isinstance(module, str) else module.__name__
    if "r_unload" in state["overridden"]:
        state["host"].hook("r_unload", name)
    state["modules"].pop(name, None)
    sys.modules.pop(name, None)


def r_open(file, mode="r", buf=-1):
    if "r_open" in state["overridden"]:
        opened = state["host"].open(file, mode, buf)
        if isinstance(opened, Capability):
            return HostFile(opened)
        file, mode, buf = opened
    elif mode not in ("r", "rb"):
        raise OSError("can't open files for writing in restricted mode")
    return builtins.open(file, mode, buf)


def r_exc_info():
    kind, value, _ = sys.exc_info()
    return kind, value, None


def run(main, method, args):
    """One request of RExec: r_exec, r_eval, r_execfile, r_import, r_reload or r_unload."""
    if method == "r_eval":
        return eval(compile(args[0].lstrip(" \t"), "<string>", "eval", dont_inherit=True), main.__dict__)
    if method == "r_exec":
        exec(compile(args[0], "<string>", "exec", dont_inherit=True), main.__dict__)
    elif method == "r_execfile":
        exec(compile(args[0], args[1], "exec", dont_inherit=True), main.__dict__)
    elif method == "r_import":
        module = r_import(args[0])
        return module.__name__ if args[0].partition(".")[0] == module.__name__ else args[0]
    elif method == "r_reload":
        return r_reload(args[0]).__name__
    elif method == "r_unload":
        r_unload(args[0])
    return None


def apply(main, method, args, streams):
    """run() with the host's streams, or with none: r_* leave a cell without."""
    names = ("stdin", "stdout", "stderr")
    saved = [getattr(sys, name, None) for name in names]
    cell = state["modules"]["sys"]
    try:
        for name in names:
            if streams:
                setattr(sys, name, Streams(name))
                setattr(cell, name, getattr(sys, name))
            else:
                cell.__dict__.pop(name, None)
                sys.__dict__.pop(name, None)
        if not streams:
            sys.stderr = None  # as in pythonw; the library reads it
        return run(main, method, args)
    finally:
        for name, stream in zip(names, saved):
            setattr(sys, name, stream)


def module_of(name):
    module = state["modules"].get(name)
    if module is None:
        module = state["modules"][name] = sys.modules[name] = type(sys)(name)
    return module


def set_name(main, module, name, value):
    setattr(module_of(module), name, value)


def get_name(main, module, name):
    return getattr(module_of(module), name)


def delete_name(main, module, name):
    delattr(module_of(module), name)


def copy(main, source, name, names, exceptions):
    """Makes a module of the cell from the chosen names of a real one."""
    real = importlib.import_module(source)
    made = type(sys)(name)
    for key, value in vars(real).items():
        if key in names if names is not None else key not in exceptions and key[:2] != "__":
            setattr(made, key, value)
    state["modules"][name] = made
