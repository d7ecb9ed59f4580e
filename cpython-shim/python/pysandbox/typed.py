"""Arguments of a wrong type are mistakes of the host's, and told there: the guest
would raise them as its own.
"""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence

BYTES = (bytes, bytearray, memoryview)
LONG = 64 << 10  # bytes of a program's source, beyond which it is no argument of its interpreter


def check(**values: tuple[Any, type | tuple[type, ...]]) -> None:
    """Takes for each argument its value and the type, or types, that it must have.
    TypeError for another one."""
    for name, (value, wanted) in values.items():
        if not isinstance(value, wanted):
            kind = wanted if isinstance(wanted, type) else wanted[0]
            raise TypeError("%s is of type %s; it must be %s" % (name, type(value).__name__, kind.__name__))


def words(argv: Sequence[str]) -> List[str]:
    """The words of a command line. A text is a sequence too, and surely not meant as one."""
    if isinstance(argv, (str, bytes)):
        raise TypeError("argv=%r: it is a list of words" % (argv,))
    found = [str(word) for word in argv]
    for word in found:
        if "\0" in word:
            raise ValueError("argv: %r has a zero byte, which no word of a command line has" % word)
    return found


def is_long(source: str) -> bool:
    """Whether a program's source is sent to it, and no argument of its interpreter."""
    size = len(source.encode("utf-8", "surrogatepass"))
    if size <= LONG and "\0" not in source:
        return False
    from .tables import AREA
    if size > AREA:
        from .errors import TooLargeError
        raise TooLargeError("a source of %d bytes is too long; it has at most %d" % (size, AREA))
    return True
