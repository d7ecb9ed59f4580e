"""Puts the rules in place, opens the channel, and runs the program as python3
would have run it.
"""
import os
import sys

SENT = "raise SystemExit('the host has sent no program')"  # pysandbox.sandbox has the same


def run(main, here, mode, has_client, argument, args):
    connection = None
    if has_client:
        import pysandbox_guest
        from ._channel import Connection
        connection = pysandbox_guest._connection = Connection(mode == "serve")
    else:
        os.set_inheritable(3, False)
    from . import _hook as hook
    words, told = read_rules(here + "/rules", hook.Told())
    hook.install(told)
    sys.modules["__main__"] = main
    if mode == "serve":
        from . import _serve as serve
    if words["allow"] or words["deny"]:
        from . import _rules as rules
        rules.install(words)
    if mode == "serve":
        sys.argv[:] = [""]
        sys.path.insert(0, "")
        serve.serve(connection, main)
        return
    if connection is not None:
        if mode == "code" and argument == SENT:
            argument = connection.call(0, "program", (), {})
        for name in connection.call(0, "names", (), {}):
            main.__dict__[name] = connection.lookup(name)
    program(main, mode, argument, args)


def read_rules(path, told):
    """The policy's words on modules, and what told is told of the rest."""
    words = {"allow": [], "deny": [], "need": []}
    with open(path) as file:
        for line in file:
            word, _, rest = line.rstrip("\n").partition(" ")
            if word in words:
                words[word].append(rest)
            else:
                told.take(word, rest)
    return words, told


def program(main, mode, argument, args):
    if mode == "module":
        sys.argv[:] = ["-m"] + args
        sys.path.insert(0, os.getcwd())
        run_module(argument, True)
        return
    if mode == "script":
        sys.argv[:] = [argument] + args
        if is_archive(argument):
            sys.path.insert(0, argument)
            run_module("__main__", False)
            return
        sys.path.insert(0, os.path.dirname(argument))
        main.__file__, main.__cached__ = argument, None
    else:
        sys.argv[:] = ["-c" if mode == "code" else "-" if args else ""] + args
        sys.path.insert(0, "")
    guarded(lambda: exec(load(mode, argument), main.__dict__))


def run_module(name, as_argument):
    """as_argument: the module's file takes the place of sys.argv[0]."""
    import runpy
    guarded(lambda: runpy._run_module_as_main(name, as_argument))


def is_archive(path):
    """Whether python3 would run the module __main__ in a zip archive (zipapp)."""
    from zipimport import ZipImportError, zipimporter
    try:
        zipimporter(path)
    except ZipImportError:
        return False
    return True


def load(mode, argument):
    """What exec runs. It names code that comes as text "<string>" by itself, and the
    first call of compile() costs a millisecond (the types of syntax trees)."""
    if mode == "code":
        return argument
    if mode == "input":
        return compile(sys.stdin.buffer.read(), "<stdin>", "exec", dont_inherit=True)
    with open(argument, "rb") as file:
        if argument.endswith(".pyc"):
            from pkgutil import read_code
            return read_code(file) or no_code()
        return compile(file.read(), argument, "exec", dont_inherit=True)


def no_code():
    raise RuntimeError("Bad magic number in .pyc file")  # in the words of python3


def guarded(function):
    """Calls function; an exception is printed without our own frames. After a
    KeyboardInterrupt the interpreter ends by SIGINT, so it has to get it."""
    try:
        function()
    except Exception as problem:
        shown(sys.excepthook, problem)
        sys.exit(1)
    except KeyboardInterrupt:
        hook = sys.excepthook
        sys.excepthook = lambda kind, problem, trace: shown(hook, problem)
        raise


def shown(hook, problem):
    from ._place import outside
    problem.__traceback__ = trace = outside(problem.__traceback__)
    hook(type(problem), problem, trace)
