"""Run by boot.py, with the arguments MODE CLIENT ARGUMENT [args]: MODE is script,
code, module, input or serve, CLIENT is client or alone. What it does is for
comfort; what confines is in force before the interpreter starts.

here is the directory of the bootstrap, and read returns the content of a file
there. codes are the package's modules by name, marshalled, but for those that only
a guest with a client needs; or None if the supervisor has no bytecode for this
interpreter.
"""
import sys
from marshal import loads

here = globals()["here"]
codes = globals()["codes"]
read = globals()["read"]
ModuleSpec = type(sys.__spec__)


class Modules:
    """Finds the modules of pysandbox_guest, and loads them."""

    def __init__(self):
        self.codes = {}
        self.add("", codes)

    def add(self, part, known=None):
        """Adds a part of the package, which is known or read."""
        if codes is None:
            self.codes.update(split(read("sources" + part)))
        else:
            self.codes.update(known or loads(read("bytecode" + part)[4:]))

    def find_spec(self, name, path=None, target=None):
        if name not in self.codes:
            return None
        last = "" if "." in name else "/__init__"
        origin = "%s/%s%s.py" % (here, name.replace(".", "/"), last)
        return ModuleSpec(name, self, origin=origin, is_package="." not in name)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        code = self.codes[module.__name__]
        if codes is None:
            code = compile(code, module.__spec__.origin, "exec", dont_inherit=True)
        else:
            code = loads(code)
        exec(code, module.__dict__)


def split(text):
    """The modules by name, as source: a line with name and size before each."""
    found = {}
    while text:
        line, _, rest = text.partition(b"\n")
        name, size = line.decode().split()
        found[name], text = rest[:int(size)], rest[int(size):]
    return found


def run():
    mode, client, argument = sys.argv[1:4]
    if sys.path[:1] == [here]:
        del sys.path[0]
    modules = Modules()
    if client == "client":
        modules.add(".client")
    sys.meta_path.insert(0, modules)
    from pysandbox_guest import _bootstrap as bootstrap
    main = type(sys)("__main__")
    main.__builtins__ = sys.modules["builtins"]
    bootstrap.run(main, here, mode, client == "client", argument, sys.argv[4:])


run()
