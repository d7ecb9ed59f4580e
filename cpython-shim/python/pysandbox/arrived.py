"""The objects and the bulk data that came with one frame of a guest's."""
from __future__ import annotations

from .codec import FREE, FrameError
from .service import MAX_CALLS, Refused
from .tables import AREA

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Optional

    from .connection import Connection

MAX_BULK = 2 * AREA  # bytes of arguments that are under way


class Arrived:
    """Resolves the places in one frame, and counts what they stand for."""

    __slots__ = ("connection", "size", "callbacks", "objects", "bytes", "problem")

    def __init__(self, connection: Connection, size: int):
        self.connection, self.size = connection, size  # of the frame, in bytes
        self.callbacks = self.objects = self.bytes = 0
        self.problem: Optional[Refused] = None

    def resolve(self, place: Any) -> Any:
        """What a reference or a region stands for; an object of the host's is still in
        its facet, which says what of it the guest was granted."""
        connection = self.connection
        if isinstance(place, tuple):
            offset, length = place
            if self.bytes + length > AREA or connection.bulk + length > MAX_BULK:
                raise FrameError("more data is under way than the area holds")
            self.bytes += length
            connection.count(length)
            data = connection.area.get(offset, length)
            connection.send([FREE, offset])
            return data
        if place >= 0:
            self.callbacks += 1
            if self.callbacks > MAX_CALLS:
                raise FrameError("too many functions in one call")
            return connection.callback(place)
        self.objects += 1
        owner = connection.exports.get(-1 - place)
        if owner is None or not owner.alive():
            self.problem = Refused("RevokedError", "an argument was revoked")
            return None
        return owner
