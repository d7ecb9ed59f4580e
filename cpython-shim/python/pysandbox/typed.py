"""Arguments of a wrong type are mistakes of the host's, and told there: the guest
would raise them as its own.
"""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, List, Sequence

BYTES = (bytes, bytearray, memoryview)


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
