"""Arguments of a wrong type are mistakes of the host's, and told there: the guest
would raise them as its own.
"""
from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

BYTES = (bytes, bytearray, memoryview)


def check(**values: "tuple[Any, type | tuple[type, ...]]") -> None:
    """Takes for each argument its value and the type, or types, that it must have.
    TypeError for another one."""
    for name, (value, wanted) in values.items():
        if not isinstance(value, wanted):
            kind = wanted if isinstance(wanted, type) else wanted[0]
            raise TypeError("%s is of type %s; it must be %s" % (name, type(value).__name__, kind.__name__))
