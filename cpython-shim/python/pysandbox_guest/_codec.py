"""Values as bytes: the strict subset of CBOR (RFC 8949) in which each value has
one encoding. The host and the guest have this same file, and the supervisor a
decoder that accepts exactly the same (supervisor/broker/capability/decode.go).

None, bool, int of 64 bits, float, bytes, str, list and dict with str keys are
values; a tuple becomes a list. Whatever else a value holds is for the caller's
function to turn into a number (a reference) or two (a place in an area).
"""
TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable, Optional, Tuple, Union

    Place = Union[int, Tuple[int, ...]]  # of a reference, or of bytes in an area
    Refer = Optional[Callable[[Any], Optional[Place]]]
    Resolve = Optional[Callable[[Place], Any]]

MAX_FRAME = 128 << 10  # bytes
MAX_DEPTH = 32
BULK = 32 << 10  # bytes; longer bytes and longer text go through an area
VERSION = 2

(HELLO, CALL, RETURN, ERROR, RELEASE, CANCEL, REVOKED, FREE, NOTE, WELCOME) = range(10)
NOT_BEGUN = "NotBegun"  # the type of the ERROR for a call that was cancelled while it waited

_TAG = b"\xd8\x27"  # tag 39, "identifier"
_NAN = b"\xfb\x7f\xf8\0\0\0\0\0\0"


class FrameError(ValueError):
    """What came is no frame, or no value, of the subset."""


class TooLargeError(ValueError):
    """A value that has more bytes than a frame or the area takes."""


def _head(out: bytearray, major: int, number: int) -> None:
    if number < 24:
        out.append(major | number)
    elif number < 0x100:
        out.append(major | 24)
        out.append(number)
    elif number < 0x10000:
        out.append(major | 25)
        out += number.to_bytes(2, "big")
    elif number < 0x100000000:
        out.append(major | 26)
        out += number.to_bytes(4, "big")
    else:
        out.append(major | 27)
        out += number.to_bytes(8, "big")


def _double(value: float) -> bytes:
    """A float, all of it. A guest that has none need not load the module."""
    from _struct import pack
    return bytes(pack(">Bd", 0xFB, value))


def _put(out: bytearray, value: "Any", refer: "Refer", depth: int) -> None:
    kind = type(value)
    if depth > MAX_DEPTH:
        raise ValueError("a value is deeper than %d" % MAX_DEPTH)
    if kind is int:
        if 0 <= value < 24:
            out.append(value)
        elif -1 << 63 <= value < 1 << 64:
            _head(out, 0 if value >= 0 else 0x20, value if value >= 0 else -1 - value)
        else:
            raise OverflowError("an integer has more than 64 bits")
    elif kind is str:
        try:
            raw = value.encode()
        except UnicodeEncodeError:
            raise ValueError("text holds a lone surrogate, which UTF-8 cannot say") from None
        size = len(raw)
        place = None if size <= BULK or refer is None else _refer(raw, refer)
        if place is not None:
            offset, length = place  # type: ignore[misc]  # it is that of bytes
            out += _TAG
            _put(out, (offset, -1 - length), None, depth + 1)
            return
        if size < 24:
            out.append(0x60 | size)
        else:
            _head(out, 0x60, size)
        out += raw
    elif value is None:
        out.append(0xF6)
    elif kind is bool:
        out.append(0xF5 if value else 0xF4)
    elif kind is list or kind is tuple:
        _head(out, 0x80, len(value))
        for item in value:
            if type(item) is int and 0 <= item < 24 and depth < MAX_DEPTH:
                out.append(item)  # the most frequent, without a call
            else:
                _put(out, item, refer, depth + 1)
    elif kind is dict:
        _head(out, 0xA0, len(value))
        for key, item in value.items():
            if type(key) is not str:
                raise TypeError("a key of a dict is of type %s, not str" % type(key).__name__)
            _put(out, key, None, depth)
            _put(out, item, refer, depth + 1)
    elif kind is float:
        out += _NAN if value != value else _double(value)
    elif kind is memoryview and (value.itemsize != 1 or value.ndim != 1 or not value.c_contiguous):
        _put(out, value.tobytes(), refer, depth)
    elif kind in (bytes, bytearray, memoryview) and (len(value) <= BULK or refer is None):
        _head(out, 0x40, len(value))
        out += value
    else:
        place = None if refer is None else _refer(value, refer)
        if place is None:
            raise TypeError("a value of type %s is no plain data" % kind.__name__)
        out += _TAG
        _put(out, place, None, depth + 1)


def _refer(value: "Any", refer: "Callable[[Any], Optional[Place]]") -> "Optional[Place]":
    try:
        return refer(value)
    except MemoryError as problem:  # of Area.put
        raise TooLargeError(str(problem)) from None


def encode(value: "Any", refer: "Refer" = None) -> bytes:
    """The bytes of a value. refer(object) returns the int of a reference, the
    (offset, length) of bytes that it has put into an area, or None. TypeError for what
    is no plain data, OverflowError for a larger int, ValueError for what is nested too
    deep or text that is none, TooLargeError."""
    out = bytearray()
    _put(out, value, refer, 0)
    if len(out) > MAX_FRAME:
        raise TooLargeError("a value takes %d bytes, and at most %d beside long text and long bytes; "
                            "pass it as one of these" % (len(out), MAX_FRAME))
    return bytes(out)


def _number(data: bytes, at: int) -> "Tuple[int, int]":
    """The argument of the head at data[at], and where it ends."""
    info = data[at] & 31
    if info < 24:
        return info, at + 1
    if info == 24:
        return _at_least(24, data[at + 1]), at + 2
    if info > 27:
        raise FrameError("a length must be definite")
    size = 1 << info - 24
    end = at + 1 + size
    if end > len(data):
        raise IndexError
    return _at_least(1 << size * 4, int.from_bytes(data[at + 1:end], "big")), end


def _at_least(least: int, number: int) -> int:
    if number < least:
        raise FrameError("%d has a shorter form" % number)
    return number


def _text(data: bytes, at: int) -> "Tuple[str, int]":
    size, at = _number(data, at)
    if size > len(data) - at:
        raise FrameError("text is cut off")
    return data[at:at + size].decode(), at + size


def _get(data: bytes, at: int, resolve: "Resolve", depth: int) -> "Tuple[Any, int]":
    if depth > MAX_DEPTH:
        raise FrameError("a value is deeper than %d" % MAX_DEPTH)
    head = data[at]
    if head < 24:
        return head, at + 1
    major = head >> 5
    if major == 7:
        return _simple(data, at)
    if head & 31 < 24:
        number, at = head & 31, at + 1
    else:
        number, at = _number(data, at)
    if major == 3:
        if number > len(data) - at:
            raise FrameError("text is cut off")
        return data[at:at + number].decode(), at + number
    if major == 0:
        return number, at
    if major == 4:
        if number > len(data) - at:
            raise FrameError("an array is cut off")
        items = []
        for _ in range(number):
            if data[at] < 24 and depth < MAX_DEPTH:  # the most frequent, without a call
                item = data[at]
                at += 1
            else:
                item, at = _get(data, at, resolve, depth + 1)
            items.append(item)
        return items, at
    if major == 5:
        return _map(data, at, number, resolve, depth)
    if major == 2:
        if number > len(data) - at:
            raise FrameError("bytes are cut off")
        return data[at:at + number], at + number
    if major == 1:
        if number >= 1 << 63:
            raise FrameError("an integer is below 64 bits")
        return -1 - number, at
    if number != 39:
        raise FrameError("tag %d is not of the subset" % number)
    place, at = _get(data, at, None, depth + 1)
    return _place(place, resolve), at


def _map(data: bytes, at: int, count: int, resolve: "Resolve", depth: int) -> "Tuple[Any, int]":
    if count > (len(data) - at) // 2:
        raise FrameError("a map is cut off")
    entries: dict[str, Any] = {}
    for _ in range(count):
        if data[at] >> 5 != 3:
            raise FrameError("a key is not text")
        key, at = _text(data, at)
        if key in entries:
            raise FrameError("a key stands twice")
        entries[key], at = _get(data, at, resolve, depth + 1)
    return entries, at


def _simple(data: bytes, at: int) -> "Tuple[Any, int]":
    head = data[at]
    if head == 0xF6:
        return None, at + 1
    if head in (0xF4, 0xF5):
        return head == 0xF5, at + 1
    if head != 0xFB:
        raise FrameError("%#x is no value of the subset" % head)
    if at + 9 > len(data):
        raise IndexError
    from _struct import unpack_from
    value = unpack_from(">d", data, at + 1)[0]
    if value != value and data[at:at + 9] != _NAN:
        raise FrameError("a NaN carries a message")
    return value, at + 9


class Reference(int):
    """A reference that nobody resolved: its number."""


class Region(tuple):  # type: ignore[type-arg]  # tuple[int, ...] is new in 3.9
    """A place in an area that nobody resolved: its offset and length, or -1 - length
    if what is there is text."""


def _place(place: "Any", resolve: "Resolve") -> "Any":
    if type(place) is int and -1 << 63 <= place < 1 << 63:
        return Reference(place) if resolve is None else resolve(place)
    if type(place) is list and [type(n) for n in place] == [
            int, int] and 0 <= place[0] and max(place) < 1 << 63:
        offset, length = place
        if resolve is None:
            return Region(place)
        return resolve((offset, length)) if length >= 0 else resolve((offset, -1 - length)).decode()
    raise FrameError("a reference is a number or a place in the area")


def decode(data: bytes, resolve: "Resolve" = None) -> "Any":
    """The value that fills data, which is bytes. resolve(place) returns what an
    int of a reference or an (offset, length) stands for. FrameError otherwise."""
    try:
        value, end = _get(data, 0, resolve, 0)
    except UnicodeDecodeError:
        raise FrameError("text is not UTF-8") from None
    except IndexError:
        raise FrameError("the value is cut off") from None
    if end != len(data):
        raise FrameError("%d bytes follow the value" % (len(data) - end))
    return value
