"""Where in the program something happened, for the supervisor and for people."""
import os
import sys


def note(operation, target, rule="", error=""):
    """Sends one note. error is the name of the errno of an operation that was
    refused here, so that the kernel does not see it."""
    try:
        words = [operation, target, rule, error, where()]
        text = [w[:1000].encode("utf-8", "replace").decode() for w in words]
        codec = loaded("pysandbox_guest._codec")
        os.write(3, codec.encode([codec.NOTE] + text))
    except Exception:
        pass  # advice that cannot be given is not worth an error


def loaded(name):
    """The module of the package, which a program that asks for nothing does not need.
    The program may have changed by now what an import statement does."""
    if name not in sys.modules:
        spec = __spec__.loader.find_spec(name)
        module = type(sys)(name)
        module.__spec__ = spec
        spec.loader.exec_module(module)
        sys.modules[name] = module
    return sys.modules[name]


def where():
    """The file, line and function of the program that asked: the innermost frame
    that is neither ours nor the standard library's."""
    frame = first = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith("/.pysandbox"):
        frame = first = frame.f_back
    library = os.path.dirname(os.__file__ or "\0")
    while frame is not None:
        name = frame.f_code.co_filename
        if not name.startswith((library, "<frozen", "/.pysandbox")) or "-packages" in name:
            return place(frame)
        frame = frame.f_back
    return place(first)


def place(frame):
    """A frame as "job.py:12 in Client.fetch", or "job.py:12" at the top level."""
    if frame is None:
        return ""
    code = frame.f_code
    function = getattr(code, "co_qualname", code.co_name)  # CPython 3.11
    text = "%s:%d" % (code.co_filename, frame.f_lineno)
    return text if function == "<module>" else text + " in " + function


def outside(trace):
    """A traceback without our own frames: None if it has no others, as that of code
    which does not compile."""
    kept, at = [], trace
    while at is not None:
        if not at.tb_frame.f_code.co_filename.startswith("/.pysandbox"):
            kept.append(at)
        at = at.tb_next
    made = None
    for at in reversed(kept):
        made = type(at)(made, at.tb_frame, at.tb_lasti, at.tb_lineno)
    return made
