"""Rules on imports from the policy (python.modules): an ImportError that says
which rule refused. The files of refused modules are not there either, which is
what holds; see what `pysandbox explain` says of each rule.
"""
import os
import sys


class Rules:
    """A finder that finds nothing and refuses what the rules refuse. of the
    policy's patterns, "a" is a module with all below it and "a.*" all below it.
    What an allowed module imports is "need"ed: it may import that, and so may every
    other one of the interpreter's, but not the program."""

    def __init__(self, allow, deny, need):
        self.allow, self.deny, self.need = allow, deny, need

    def refusal(self, name, needs):
        """Why a module may not be imported, or None. needs says that what is needed
        may be."""
        for pattern in self.deny:
            if covers(pattern, name):
                return "denied by python.modules.deny = [%r]" % pattern
        if not self.allow:
            return None
        for pattern in self.allow:
            # The packages above an allowed module come with it.
            if covers(pattern, name) or pattern.startswith(name + "."):
                return None
        top = name.partition(".")[0]
        if needs and top in self.need or top in ("pysandbox_guest", "__future__", "__main__"):
            return None
        return "not in python.modules.allow; add %r to allow it" % name

    def find_spec(self, name, path=None, target=None):
        self.check(name, True)
        return None

    def check(self, name, needs):
        reason = self.refusal(name, needs)
        if reason is not None:
            raise ModuleNotFoundError("import of %s is %s" % (name, reason), name=name)


def covers(pattern, name):
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return name == pattern or name.startswith(pattern + ".") or name == "_" + pattern


def install(words):
    rules = Rules(words["allow"], words["deny"], set(words["need"]))
    if rules.refusal("_struct", True):
        __import__("_struct")  # which the channel loads with the first float
    sys.meta_path.insert(0, rules)
    guard(rules, library())


def library():
    """Where the interpreter's modules and ours come from, as code names its file: all
    that is on the path before the program's own directories are."""
    own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    places = [place + "/" for place in sys.path if place and place not in own]
    return tuple(places) + ("<frozen", "/.pysandbox/")


def guard(rules, library):
    """Judges the import statements of the program. It is told from the interpreter's
    modules by the file of its code, and no finder is asked for what has been imported
    already."""
    import builtins
    real, frame, modules = builtins.__import__, sys._getframe, sys.modules

    def __import__(name, globals=None, locals=None, fromlist=(), level=0):
        # A module in C imports in the frame of what has called it, and gives [].
        own = not level and fromlist != [] and not frame(1).f_code.co_filename.startswith(library)
        if own:
            rules.check(name, False)
        module = real(name, globals, locals, fromlist, level)
        for part in fromlist or ():
            if own and "%s.%s" % (name, part) in modules:
                rules.check("%s.%s" % (name, part), False)
            if part != "*" and not hasattr(module, part):
                # "from a import b" forgets why a.b was refused, and says that a is
                # without it or imports itself.
                rules.check("%s.%s" % (getattr(module, "__name__", name), part), not own)
        return module

    builtins.__import__ = __import__
