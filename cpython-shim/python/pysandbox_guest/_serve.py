"""What the host can ask of a live guest: to run code in its __main__, and to
hand files over. State stays from one request to the next.
"""
import os
import sys

from . import _codec as codec

main = None  # the module __main__ in which everything runs


def serve(connection, module):
    """Answers the host's requests until it closes the channel."""
    global main
    main = module
    table = {
        "exec": run_exec, "eval": run_eval, "run_file": run_file, "run_module": run_module,
        "inject": lambda names: inject(connection, names), "write": write, "read": read,
        "list": list_files, "cell": lambda method, args: cell(connection, method, args),
    }
    outputs, owner, interrupt = outputs_of_ours(), os.getpid(), connection.interrupt

    def find(frame):
        mark = frame[6].pop("mark", None)
        function = table.get(frame[4])
        if mark is None:
            return function and flushed(function, owner), describe, None
        put_mark(outputs, mark)
        return function and flushed(function, owner), describe, lambda: put_mark(outputs, mark)
    while True:
        try:
            while True:  # in here, as the interpreter runs handlers where a loop goes back
                answer_next(connection, find)
        except (ConnectionError, codec.FrameError):
            return
        except Exception as problem:  # of a signal's handler, which the program has left behind
            interrupt.held = 1  # the next one waits until it can be told
            tell(problem)


def answer_next(connection, find):
    """Waits for a request of the host's, and answers it."""
    connection.interrupt.leave(0)
    slot = connection.server
    slot.done = False
    if connection.work:  # what comes from now on says so itself
        slot.done = True
    connection.reading.wait(slot)
    connection.answer(connection.work, find)


def outputs_of_ours():
    """Both output streams, under numbers that the program does not know: it may close
    or replace its own."""
    found = []
    for fd in (1, 2):
        try:
            found.append(os.dup(fd))
        except OSError:
            pass  # the program was started without
    return found


def flushed(function, owner):
    """function, after which both output streams are flushed. A child that it has forked
    ends here, as a program does: the host waits for an answer of its parent's."""
    def run(*args, **kwargs):
        try:
            return function(*args, **kwargs)
        finally:
            if os.getpid() != owner:
                end_of_child(sys.exc_info()[1])
            flush()
    return run


def tell(problem):
    """Prints what came up where nobody asks, as the interpreter does for a thread."""
    try:
        sys.stderr.write(describe(problem))
        flush()
    except Exception:
        pass  # the guest may have replaced or closed it, or the next signal has come


def flush():
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except Exception:
            pass  # the guest may have replaced or closed it


def end_of_child(problem):
    """Ends this process, which has come to the end of its code or to problem."""
    status = 0 if problem is None else 1
    try:
        if isinstance(problem, SystemExit) and isinstance(problem.code, (int, type(None))):
            status = (problem.code or 0) & 0xFF
        elif isinstance(problem, SystemExit):
            sys.stderr.write(str(problem.code) + "\n")
        elif problem is not None:
            sys.stderr.write(describe(problem))
        flush()
    finally:
        os._exit(status)


def put_mark(outputs, mark):
    """Marks the beginning or the end of a request's output, so that the host knows
    what belongs to it."""
    for fd in outputs:
        try:
            os.write(fd, mark)
        except BlockingIOError:  # the program has set it so, and it is full
            os.set_blocking(fd, True)
            os.write(fd, mark)
            os.set_blocking(fd, False)
        except OSError:
            pass


def describe(problem):
    """The traceback as text, without the frames of this package."""
    import traceback
    from ._place import outside
    return "".join(traceback.format_exception(type(problem), problem, outside(problem.__traceback__)))


def compiled(source, filename, mode):
    """The code of source, whose lines tracebacks will show."""
    code = compile(source, filename, mode, dont_inherit=True)
    remembered[filename] = source
    if "linecache" in sys.modules or len(remembered) == 1:
        remember()
    return code


remembered = {}  # filename: source, for tracebacks


def remember():
    """Lets tracebacks show lines of sources that are in no file. linecache asks
    the loader of a module's globals, which costs nothing until it is asked."""
    main.__loader__ = Sources()


class Sources:
    """The loader of __main__."""

    def get_source(self, _):
        frame = sys._getframe(1)
        while frame is not None:
            name = frame.f_locals.get("filename")
            if name in remembered:
                source = remembered[name]
                if isinstance(source, bytes):
                    from importlib.util import decode_source
                    source = decode_source(source)
                return source
            frame = frame.f_back
        return None


def run_exec(source, filename):
    exec(compiled(source, filename, "exec"), main.__dict__)


def run_eval(source, filename):
    return eval(compiled(source.lstrip(" \t"), filename, "eval"), main.__dict__)


def run_file(name, source, argv):
    """Runs the source of a file of the host's in __main__, as exec does."""
    sys.argv[:] = [name] + argv
    main.__file__ = name
    code = compiled(source, name, "exec")
    ended(exec, code, main.__dict__)


def ended(function, *args):
    """What function returns. A script may end with sys.exit(), if that means success."""
    try:
        return function(*args)
    except SystemExit as end:
        if end.code is not None and end.code != 0:
            raise
    return None


def run_module(name, argv):
    """Runs a module as `python -m` does; its names go to __main__."""
    import runpy
    sys.argv[:] = [name] + argv
    main.__dict__.update(ended(runpy.run_module, name, None, "__main__", True) or {})


def inject(connection, names):
    """Puts the granted capabilities into __main__, by name."""
    for name in names:
        main.__dict__[name] = connection.lookup(name)


def write(path, data, mode):
    with open(regular(path, os.O_WRONLY | os.O_CREAT), "wb") as file:
        os.truncate(file.fileno(), 0)
        file.write(data)
        os.fchmod(file.fileno(), mode)


def read(path, most):
    """The content of a file, at most so many bytes."""
    with open(regular(path, os.O_RDONLY), "rb") as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise ValueError("%s has more than %d bytes" % (path, most))
    return data


def regular(path, flags):
    """Opens a regular file, and nothing that may block for ever or that is a device."""
    fd = os.open(path, flags | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC, 0o600)
    if os.fstat(fd).st_mode & 0o170000 != 0o100000:  # the module stat may be denied
        os.close(fd)
        raise OSError("%s is no regular file" % path)
    return fd


def list_files(top):
    """The regular files below a directory: the relative path of each and its size, each
    with a zero byte after it."""
    found = []
    os.listdir(top)  # walk() finds nothing in what is no directory
    for directory, _, names in os.walk(top):
        for name in names:
            path = os.path.join(directory, name)
            if not os.path.islink(path) and os.path.isfile(path):
                found += [os.fsencode(os.path.relpath(path, top)), b"%d" % os.path.getsize(path)]
    return b"".join(word + b"\0" for word in found)


def cell(connection, method, args):
    from . import _cell as cells
    return cells.request(connection, main, method, args)
