"""Bastion with the names and the semantics of Python 2: only methods show, only
those that the filter lets through. What it shows in this process is a courtesy;
what it shows to a guest, through Sandbox.grant or RExec, is all that there is.
"""
from __future__ import annotations

from types import MethodType
from typing import Any, Callable, Dict, Optional, Tuple, Type


class BastionClass:
    """Holds _get_, which finds an attribute or raises, and _name_, for repr."""

    def __init__(self, get: Callable[[str], Any], name: str):
        self._get_ = get
        self._name_ = name

    def __repr__(self) -> str:
        return "<Bastion for %s>" % self._name_

    def __getattr__(self, name: str) -> Any:
        attribute = self._get_(name)
        self.__dict__[name] = attribute
        return attribute

    def __pysandbox_facet__(self) -> Dict[str, Tuple[Callable[..., Any], Tuple[Type[BaseException], ...]]]:
        """The methods that a guest may call, found when the object is granted."""
        found: Dict[str, Tuple[Callable[..., Any], Tuple[Type[BaseException], ...]]] = {}
        for name in self._get_.names():  # type: ignore[attr-defined]
            try:
                found[name] = (self._get_(name), (Exception,))
            except AttributeError:
                continue
        return found

    def __pysandbox_label__(self) -> str:
        """What a guest's repr() says of it: a name that was given, as that of the object
        tells of the host."""
        return "Bastion for %s" % self._name_ if getattr(self._get_, "named", False) else ""


def Bastion(object: Any, filter: Callable[[str], bool] = lambda name: name[:1] != "_",
            name: Optional[str] = None, bastionclass: type = BastionClass) -> Any:
    """An object that shows the methods of another, and neither its data nor
    callables stored as data. Names with a leading underscore never cross to a
    guest, whatever the filter says. What a method raises does, by name and message,
    as in Python 2; expose tells of those exceptions alone that it names."""
    def get(name: str, object: Any = object, filter: Callable[[str], bool] = filter) -> Any:
        if filter(name):
            attribute = getattr(object, name)
            if type(attribute) is MethodType:
                return attribute
        raise AttributeError(name)

    def only(name: str) -> Any:
        return get(name)

    only.names = lambda: [n for n in dir(object) if n[:1] != "_" and filter(n)]  # type: ignore[attr-defined]
    only.named = name is not None  # type: ignore[attr-defined]
    return bastionclass(only, repr(object) if name is None else name)
