"""The shapes of the frames that a guest may send."""
from __future__ import annotations

from .codec import CALL, CANCEL, ERROR, FREE, HELLO, RELEASE, RETURN, FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHAPES = {  # kind: the types of the elements, but for the value of a RETURN
    HELLO: (int, int),
    CALL: (int, int, int, int, str, list, dict),
    RETURN: (int, int),
    ERROR: (int, int, str, str),
    RELEASE: (int, int, int),
    CANCEL: (int, int),
    FREE: (int, int),
}
_TRACE = (str, type(None))  # of an ERROR


def kind_of(frame: Any) -> int:
    """The kind of a decoded frame. FrameError if its elements are not those of
    its kind."""
    kind: Any = frame[0] if type(frame) is list and frame else None
    shape = _SHAPES.get(kind) if type(kind) is int else None
    types = tuple(map(type, frame)) if shape is not None else ()
    if kind == RETURN or kind == ERROR:
        fits = len(types) == len(shape or ()) + 1 and types[:-1] == shape and (
            kind == RETURN or types[-1] in _TRACE)
    else:
        fits = types == shape
    if not fits:
        raise FrameError("a frame of kind %r has a wrong shape" % (kind,))
    return int(kind)
