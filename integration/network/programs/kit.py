"""What the programs share: how they print the end of a call."""

import errno
import os


def attempt(label, call, *arguments):
    """Prints the result of a call, or the name of its error."""
    try:
        result = call(*arguments)
    except OSError as error:
        result = name(error)
    print(f"{label}: {result}", flush=True)


def name(error):
    """The class of an OSError and the name of its number."""
    code = errno.errorcode.get(error.errno, error.errno)
    return f"{type(error).__name__} {code}"


def code(number):
    """The name of an error number; 0 is 0."""
    return errno.errorcode.get(number, number)


def environment(key):
    return os.environ[key]
