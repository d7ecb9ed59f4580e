"""Starts the program of a sandbox that has rules on imports or a client.

boot.py MODE CLIENT ARGUMENT [args]: MODE is script, code, module, input or
serve, CLIENT is client or alone. What it does is for comfort; what confines is
in force before the interpreter starts.
"""
import sys


def start():
    here = __file__.rpartition("/")[0]
    mode, client, argument = sys.argv[1:4]
    if sys.path[:1] == [here]:
        del sys.path[0]
    sys.path.insert(0, here)
    from pysandbox_guest import _bootstrap as bootstrap
    del sys.path[0]
    main = type(sys)("__main__")
    main.__builtins__ = __builtins__
    return bootstrap.run(main, here, mode, client == "client", argument, sys.argv[4:])


start()
