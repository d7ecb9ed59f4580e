"""Starts the program of a sandbox that has rules on imports or a client. It is
compiled at every start, so it only runs start.py, from bytecode if it can."""
import sys
from marshal import loads


def read(name):
    with open(here + "/" + name, "rb") as file:
        return file.read()


here = __file__.rpartition("/")[0]
codes, data = None, read("bytecode")
if data[:4] == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER:
    codes = loads(data[4:])
    start = loads(codes["start"])
else:
    start = compile(read("start.py"), here + "/start.py", "exec")
exec(start, {"here": here, "codes": codes, "read": read})
