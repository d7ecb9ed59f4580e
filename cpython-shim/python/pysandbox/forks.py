"""A fork of the host has copies of all that it holds of its guests, and none of the
threads that serve them. The guests stay with the process that started them: in the
child, what was held is let go of, and nothing is sent to anybody.
"""
from __future__ import annotations

import os
from _weakref import ref

from .errors import RunError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Dict, Protocol

    class Held(Protocol):
        def forget(self) -> None: ...

_held: Dict[int, ref[Held]] = {}  # os.register_at_fork has no counterpart, so there is one for all


def hold(thing: Held) -> None:
    """Lets a child that is forked while thing lives call its forget(), which closes
    descriptors. It must take no lock: a thread that does not exist may have it."""
    key = id(thing)
    _held[key] = ref(thing, lambda _: _held.pop(key, None))


def _forked() -> None:
    for known in list(_held.values()):
        thing = known()
        if thing is not None:
            thing.forget()
    _held.clear()


os.register_at_fork(after_in_child=_forked)


def check(owner: int) -> None:
    """RunError in any process but the one with the pid owner."""
    if os.getpid() != owner:
        raise RunError("this sandbox belongs to process %d, of which this one is a fork; "
                       "make a sandbox of its own here" % owner)
