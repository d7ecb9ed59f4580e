"""Exceptions as data, both ways."""
from ._objects import RemoteError


def remote_error(name):
    """A class for the host's exceptions of a name: a builtin one's child, if there is one."""
    import builtins
    builtin = getattr(builtins, name, None)
    bases = (RemoteError,)
    if isinstance(builtin, type) and issubclass(builtin, Exception):
        bases = (RemoteError, builtin)
    try:
        made = type(name, bases, {"type_name": name})
    except TypeError:  # a layout of its own
        made = type(name, (RemoteError,), {"type_name": name})
    try:
        made("")
    except TypeError:  # such as UnicodeDecodeError, of which there is the text alone
        made = type(name, bases, {
            "type_name": name, "__init__": lambda self, *args: None, "__str__": Exception.__str__})
        try:
            made("")
        except TypeError:  # such as ExceptionGroup
            made = type(name, (RemoteError,), {"type_name": name})
    made.__module__ = "pysandbox_guest.errors"
    return made


def explain(problem, describe=None):
    """The name, the message and the traceback of an exception, as data."""
    try:
        message = str(problem)
    except Exception:
        message = "<an exception whose text cannot be had>"
    trace = None
    if describe is not None:
        try:
            trace = clean(describe(problem), 32768)
        except Exception:
            trace = None
    return [clean(type(problem).__name__, 200), clean(message, 4096), trace]


def clean(text, most):
    """Text that fits and that UTF-8 can say."""
    return text[:most].encode("utf-8", "backslashreplace").decode()
