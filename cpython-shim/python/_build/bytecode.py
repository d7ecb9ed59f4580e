"""Compiles what runs in a guest for the interpreter that runs this, and writes it to
standard output:

    bytecode.py sources FILE   the magic number of its bytecode, and the code of each
                               module of FILE by name, as boot.py reads them
    bytecode.py program FILE   a .pyc file of FILE, which is boot.py
"""
import importlib.util
import marshal
import sys

HERE = "/.pysandbox"  # plan.guestDirectory; it stands in tracebacks


def compiled(source, path):
    return marshal.dumps(compile(source, HERE + path, "exec", dont_inherit=True, optimize=0))


def sources(file):
    codes = {}
    for line in file:
        name, size = line.decode().split()
        last = "" if "." in name else "/__init__"
        codes[name] = compiled(file.read(int(size)), "/%s%s.py" % (name.replace(".", "/"), last))
    return marshal.dumps(codes)


def program(file):
    return bytes(12) + compiled(file.read(), "/boot.py")  # PEP 552: flags, and of which source


def main():
    with open(sys.argv[2], "rb") as file:
        made = {"sources": sources, "program": program}[sys.argv[1]](file)
    sys.stdout.buffer.write(importlib.util.MAGIC_NUMBER + made)


main()
