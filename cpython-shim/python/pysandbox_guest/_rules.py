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
        reason = self.refusal(name)
        if reason is not None:
            raise ModuleNotFoundError("import of %s is %s" % (name, reason), name=name)
        return None


def covers(pattern, name):
    if pattern.endswith(".*"):
        return name.startswith(pattern[:-1])
    return name == pattern or name.startswith(pattern + ".") or name == "_" + pattern


def install(path):
    words = {"allow": [], "deny": [], "need": set()}
    with open(path) as file:
        for line in file:
            word, name = line.split()
            if word == "need":
                words[word].add(name)
            else:
                words[word].append(name)
    rules = Rules(words["allow"], words["deny"], words["need"])
    # What the interpreter has imported to start is refused to the program, and
    # stays in the interpreter's own hands.
    for name in list(sys.modules):
        if name not in ("__main__", "sys", "builtins") and rules.refusal(name) is not None and not started(name):
            del sys.modules[name]
    sys.meta_path.insert(0, rules)


def started(name):
    """Whether CPython would break without a module that it holds already."""
    return name.partition(".")[0] in ("pysandbox_guest", "encodings", "importlib", "_frozen_importlib", "_frozen_importlib_external", "zipimport")
