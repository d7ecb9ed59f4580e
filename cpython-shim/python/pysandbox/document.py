"""Policies that the host's code writes as dicts: what such a one may hold is what the
binary can be given of it, as JSON.
"""
from __future__ import annotations

import os

from .errors import PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Callable

    Leaf = Callable[[str, Any], Any]

_DEPTH = 16  # tables and lists within each other; a policy has five


def copied(value: Any) -> Any:
    """A copy of a document, in which every table is a dict and every list one."""
    return _walked("", value, lambda _, leaf: leaf, _DEPTH)


def checked(value: Any) -> Any:
    """The document itself, if each of its values has a word in JSON. PolicyError names
    the key of one that has none, and what to write."""
    return _walked("", value, _leaf, _DEPTH)


def _walked(key: str, value: Any, leaf: Leaf, depth: int) -> Any:
    if depth == 0:
        raise _mistake(key[:80], "tables and lists are nested too deeply, or hold themselves")
    if hasattr(value, "keys"):
        for name in value.keys():
            if not isinstance(name, str):
                raise _mistake(key, "the key %s is no text; write it as a str" % _shown(name))
            _crosses(key, name)
        below = key + "." if key else ""
        return {name: _walked(below + name, value[name], leaf, depth - 1) for name in value.keys()}
    if isinstance(value, (list, tuple)):
        return [_walked("%s[%d]" % (key, i), item, leaf, depth - 1) for i, item in enumerate(value)]
    return leaf(key, value)


def _leaf(key: str, value: Any) -> Any:
    if isinstance(value, str):
        _crosses(key, value)
    elif isinstance(value, float):
        if value - value != 0:  # infinite, or not a number
            raise _mistake(key, "%r is no number that a policy can hold; write another or no key" % value)
    elif isinstance(value, os.PathLike):
        raise _mistake(key, "there is no path here; write a str")
    elif value is not None and not isinstance(value, int):  # None the binary tells
        wanted = "a str, a number, a bool, a list or a dict"
        if isinstance(value, (bytes, bytearray)):
            wanted = "a str"
        elif hasattr(value, "__iter__"):
            wanted = "a list"
        raise _mistake(key, "found the %s %s; write %s" % (type(value).__name__, _shown(value), wanted))
    return value


def _crosses(key: str, text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _mistake(key, "%s is no UTF-8, and a policy cannot hold it" % _shown(text)) from None


def _mistake(key: str, what: str) -> PolicyError:
    return PolicyError("policy: %s%s" % (key + ": " if key else "", what))


def _shown(value: Any) -> str:
    """A value as an error shows it, in one line."""
    text = repr(value)
    if len(text) <= 80 and text.isprintable():
        return text
    return text[:80].encode("unicode_escape").decode() + "..."
