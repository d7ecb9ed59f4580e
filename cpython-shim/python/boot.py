"""The program that the interpreter of a guest is started with: puts the package
pysandbox_guest where it can be imported, and lets it start the program proper. Its
arguments are MODE CLIENT ARGUMENT [args]: MODE is script, code, module, input or
serve, CLIENT is client or alone. What it does is for comfort; what confines is in
force before the interpreter starts.
"""
import sys
from marshal import loads

here = globals()["__file__"].rpartition("/")[0]
ModuleSpec = type(sys.__spec__)


class Modules:
    """Finds the modules of the package, and loads them: from bytecode if there is some
    for this interpreter, else from their sources."""

    def __init__(self):
        self.codes, self.texts = {}, {}

    def add(self, part):
        """Adds a part of the package: what every guest needs, or what a client does."""
        data = read("bytecode" + part)
        if data[:4] == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER:
            self.codes.update(loads(data[4:]))
        else:
            self.texts.update(split(read("sources" + part)))

    def find_spec(self, name, path=None, target=None):
        if name not in self.codes and name not in self.texts:
            return None
        last = "" if "." in name else "/__init__"
        origin = "%s/%s%s.py" % (here, name.replace(".", "/"), last)
        return ModuleSpec(name, self, origin=origin, is_package="." not in name)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        name = module.__name__
        if name in self.codes:
            code = loads(self.codes[name])
        else:
            code = compile(self.texts[name], module.__spec__.origin, "exec", dont_inherit=True)
        exec(code, module.__dict__)


def read(name):
    with open(here + "/" + name, "rb") as file:
        return file.read()


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
    modules.add("")
    if client == "client":
        modules.add(".client")
    sys.meta_path.insert(0, modules)
    from pysandbox_guest import _bootstrap as bootstrap
    main = type(sys)("__main__")
    main.__builtins__ = sys.modules["builtins"]
    bootstrap.run(main, here, mode, client == "client", argument, sys.argv[4:])


run()
