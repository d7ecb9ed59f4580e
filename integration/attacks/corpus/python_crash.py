"""Memory errors that pure Python code reaches in some versions.

They make guest Python native code. Here it matters that whatever happens ends in
an honest report.

attacks: the interpreter's memory
effect: the interpreter crashes or goes on
topic: escape corpus, memory: views, re-entrancy, bytecode
"""

import io
import sys

from kit import how, say


class Reader(io.RawIOBase):
    """Keeps the view of the buffer that it is asked to fill."""

    def readable(self):
        return True

    def readinto(self, view):
        global kept
        kept = view
        view[:4] = b"data"
        return 4


def retained_view():
    reader = io.BufferedReader(Reader(), 1 << 20)
    reader.read(1)
    del reader
    for _ in range(100):
        bytearray(1 << 20)
    kept[:16] = b"x" * 16
    return bytes(kept[:16])


def index_reentrancy():
    data = bytearray(1 << 16)
    view = memoryview(data)

    class Index:
        def __index__(self):
            view.release()
            data.clear()
            return 5

    view[Index()] = 1


def bytearray_reentrancy():
    data = bytearray(b"x" * 1000)

    class Value:
        def __index__(self):
            data.clear()
            return 65

    data[900] = Value()


def bytecode():
    def victim():
        return 1
    code = victim.__code__
    instruction = 100 if sys.version_info < (3, 13) else 83  # LOAD_CONST
    victim.__code__ = code.replace(co_code=bytes([instruction, 255] * 50 + list(code.co_code)), co_consts=())
    victim()


def unpickler():
    import pickle

    class File:
        def readinto(self, view):
            global kept
            kept = view
            return 0

        def read(self, size):
            return b""

        def readline(self):
            return b""

    try:
        pickle.Unpickler(File()).load()
    except EOFError:
        pass
    kept[:4] = b"xxxx"


try:
    say({"view": retained_view, "index": index_reentrancy, "bytearray": bytearray_reentrancy,
         "bytecode": bytecode, "unpickler": unpickler}[how]())
except Exception as error:
    say(type(error).__name__, error)
