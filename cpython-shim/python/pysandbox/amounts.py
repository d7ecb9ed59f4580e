"""Limits as numbers. Texts have the grammar of the command line and of policy
files: sizes are whole numbers with a binary unit, durations are Go's.
"""
from __future__ import annotations

from .errors import PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Union

    Value = Union[int, float, str]

_SECONDS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "µs": 10**3, "ns": 1}
_POWERS = {"": 0, "k": 10, "m": 20, "g": 30, "t": 40}
_LENGTHS = ((10**9, "s"), (10**6, "ms"), (1, "ns"))
_UNITS = ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB"), (0, ""))
_EXAMPLES = {"time": 'duration such as 10, 0.5, "10s" or "1m30s"',
             "size": 'size such as 65536, "64K" or "64MiB"', "count": "whole number such as 16"}


def amount(name: str, value: Value, unit: str) -> int:
    """A limit in nanoseconds (unit "time"; plain numbers are seconds), bytes ("size")
    or pieces ("count"). PolicyError if it is none or not above zero."""
    try:
        number = _text(value, unit) if isinstance(value, str) else _plain(value, unit)
    except (KeyError, ValueError, OverflowError):
        raise PolicyError("narrow(%s=%r): that is no %s" % (name, value, _EXAMPLES[unit])) from None
    if number <= 0:
        raise PolicyError("narrow(%s=%r): a limit must be above zero" % (name, value))
    return number


def _plain(value: Value, unit: str) -> int:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise ValueError
    if unit == "time":
        return int(value * 10**9)
    if value != int(value):
        raise ValueError
    return int(value)


def _text(text: str, unit: str) -> int:
    import re
    if unit == "time":
        if not re.fullmatch(r"([0-9]+(\.[0-9]+)?(h|ms|m|s|us|µs|ns))+", text):
            raise ValueError
        parts = re.findall(r"([0-9.]+)([a-zµ]+)", text)
        return int(sum(float(number) * _SECONDS[suffix] for number, suffix in parts))
    match = re.fullmatch(r"([0-9]+)(?:([kmgt])(?:ib)?)?" if unit == "size" else "([0-9]+)()", text.lower())
    if match is None or not text.isascii():
        raise ValueError
    return int(match.group(1)) << _POWERS[match.group(2) or ""]


def spelled(number: int, unit: str) -> str:
    """A limit as flags take it, in the largest unit that leaves no fraction."""
    if unit == "time":
        length, suffix = next(one for one in _LENGTHS if number % one[0] == 0)
        return "%d%s" % (number // length, suffix)
    if unit == "size":
        power, suffix = next(one for one in _UNITS if number % (1 << one[0]) == 0)
        return "%d%s" % (number >> power, suffix)
    return str(number)


FOREVER = 1e8  # seconds, three years: what a wait can be told instead of no end


def seconds(name: str, value: float | None) -> float:
    """How long something may take. None and infinity are no limit."""
    if value is None:
        return FOREVER
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError("%s=%r: that is no number of seconds" % (name, value))
    if not value >= 0:
        raise ValueError("%s=%r: a time in seconds is 0 or more, and float('inf') no limit" % (name, value))
    return float(min(value, FOREVER))
