"""An audit hook is undone, and then the file is opened.

attacks: whatever an audit hook would enforce
effect: the program prints what is in the file
refused: ENOENT, EACCES
topic: escape corpus, audit bypass: sub-interpreter, hook frame, signal handler, native write
"""

import ctypes
import os
import signal
import sys

from kit import attempt, how, say, target

blocked = True


def hook(event, arguments):
    if event == "open" and blocked and arguments[0] == target["secret"]:
        if how == "signal":
            os.kill(os.getpid(), signal.SIGUSR1)
            for _ in range(1000):
                pass  # the handler runs between two instructions
        if blocked:
            raise PermissionError(1, "by the hook")


def show():
    with open(target["secret"]) as file:
        say(file.read())


def edit_frame():
    """The traceback of the refusal leads to the globals of the hook."""
    try:
        show()
    except PermissionError as error:
        trace = error.__traceback__
        while trace.tb_next:
            trace = trace.tb_next
        trace.tb_frame.f_globals["blocked"] = False
    show()


def handler(*_):
    global blocked
    blocked = False


def interpreter():
    """Hooks of Python's belong to the interpreter that added them."""
    code = "import os; os.write(1, open(%r, 'rb').read())" % target["secret"]
    try:
        import _interpreters as interpreters
    except ImportError:
        try:
            import _xxsubinterpreters as interpreters
        except ImportError:
            import _testcapi
            if _testcapi.run_in_subinterp(code) != 0:
                raise FileNotFoundError(2, "as the traceback says") from None
            return
    number = interpreters.create()
    try:
        failure = interpreters.run_string(number, code)
    except Exception as error:  # the type has another name in each version
        failure = error
    if failure is not None:
        raise FileNotFoundError(2, str(failure))


def native():
    """The hook's own code is replaced in memory."""
    harmless = (lambda event, arguments: None).__code__
    ctypes.py_object.from_address(id(hook) + function_code_offset()).value = harmless
    show()


def function_code_offset():
    """Where a function object has its code object."""
    wanted = id(hook.__code__)
    for offset in range(16, 128, 8):
        if ctypes.c_void_p.from_address(id(hook) + offset).value == wanted:
            return offset
    raise LookupError("the code object is not where it was in every version so far")


signal.signal(signal.SIGUSR1, handler)
sys.addaudithook(hook)
WAYS = {"frame": edit_frame, "signal": show, "interpreter": interpreter, "native": native}
with attempt():
    WAYS[how]()
