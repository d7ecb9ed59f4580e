"""Compiles what runs in a guest for the interpreter that runs this: bytecode.py
SOURCES [START] writes to standard output the magic number of its bytecode, and the
code of each module of SOURCES by name, and of START as "start", as boot.py and
start.py read them.
"""
import importlib.util
import marshal
import sys

HERE = "/.pysandbox"  # plan.guestDirectory; it stands in tracebacks


def compiled(source, path):
    return marshal.dumps(compile(source, HERE + path, "exec", dont_inherit=True, optimize=0))


def main():
    codes = {}
    with open(sys.argv[1], "rb") as file:
        for line in file:
            name, size = line.decode().split()
            last = "" if "." in name else "/__init__"
            codes[name] = compiled(file.read(int(size)), "/%s%s.py" % (name.replace(".", "/"), last))
    for start in sys.argv[2:]:
        with open(start, "rb") as file:
            codes["start"] = compiled(file.read(), "/start.py")
    sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER + marshal.dumps(codes))


main()
