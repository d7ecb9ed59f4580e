"""Starts the program of a sandbox that has rules on imports or a client. It is
compiled at every start, so it only runs start.py, from bytecode if it can."""
import sys
from marshal import loads

here = __file__.rpartition("/")[0]
with open(here + "/bytecode", "rb") as file:
    data = file.read()
codes = None
if data[:4] == sys.modules["_frozen_importlib_external"].MAGIC_NUMBER:
    codes = loads(data[4:])
    start = loads(codes["start"])
else:
    with open(here + "/start.py", "rb") as file:
        start = compile(file.read(), here + "/start.py", "exec")
exec(start, {"here": here, "codes": codes})
