"""Rules on imports from the policy (python.modules): an ImportError that says
which rule refused. The files of refused modules are not there either, which is
what holds; see what `pysandbox explain` says of each rule.
"""
import sys


class Rules:
    """A finder that finds nothing and refuses what the rules refuse. of the
    policy's patterns, "a" is a module with all below it and "a.*" all below it.
    What an allowed module needs is "need"ed and may be imported as well."""

    def __init__(self, allow, deny, need):
        self.allow, self.deny, self.need = allow, deny, need

    def refusal(self, name):
        """Why a module may not be imported, or None."""
        for pattern in self.deny:
            if covers(pattern, name):
                return "denied by python.modules.deny = [%r]" % pattern
        if not self.allow:
            return None
        for pattern in self.allow:
            # The packages above an allowed module come with it.
            if covers(pattern, name) or pattern.startswith(name + "."):
                return None
        if name.partition(".")[0] in self.need or name.startswith("pysandbox_guest"):
            return None
        return "not in python.modules.allow; add %r to allow it" % name

    def find_spec(self, name, path=None, target=None):
        self.check(name)
        return None

    def check(self, name):
        reason = self.refusal(name)
        if reason is not None:
            raise ModuleNotFoundError("import of %s is %s" % (name, reason), name=name)


def covers(pattern, name):
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return name == pattern or name.startswith(pattern + ".") or name == "_" + pattern


def install(words):
    rules = Rules(words["allow"], words["deny"], set(words["need"]))
    sys.meta_path.insert(0, rules)
    guard(rules)


def guard(rules):
    """Refuses to the program what the interpreter has imported for itself, which
    no finder is asked for. The standard library goes on to share it."""
    import builtins
    import os
    real, library = builtins.__import__, os.path.dirname(os.__file__ or "/")

    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        if not level and name in sys.modules:
            file = (globals or {}).get("__file__")
            inside = (
                globals or {}).get("__name__", "").startswith(("importlib", "_frozen", "pysandbox_guest"))
            if not inside and not (isinstance(file, str) and file.startswith(library)):
                rules.check(name)
        return real(name, globals, locals, fromlist, level)

    builtins.__import__ = __import__
