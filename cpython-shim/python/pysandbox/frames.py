"""The shapes of the frames that a guest may send."""
from __future__ import annotations

from .capability import fits
from .codec import CALL, CANCEL, ERROR, FREE, HELLO, RELEASE, RETURN, FrameError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_SHAPES = {  # kind: schemas of the elements
    HELLO: (int, int),
    CALL: (int, int, int, int, str, list, dict),
    RETURN: (int, int, object),
    ERROR: (int, int, str, str, (str, None)),
    RELEASE: (int, int, int),
    CANCEL: (int, int),
    FREE: (int, int),
}


def kind_of(frame: Any) -> int:
    """The kind of a decoded frame. FrameError if its elements are not those of
    its kind."""
    kind: Any = frame[0] if type(frame) is list and frame else None
    shape = _SHAPES.get(kind) if type(kind) is int else None
    if shape is None or len(shape) != len(frame) or not all(fits(s, v) for s, v in zip(shape, frame)):
        raise FrameError("a frame of kind %r has a wrong shape" % (kind,))
    return int(kind)
