"""The parameters of a method that a guest may call, and what may be given for them."""
from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any, Callable, Dict, List, Mapping, Optional, Sequence

from .capability import anything, fits, kind, spelled
from .errors import PolicyError

if TYPE_CHECKING:
    from .capability import Schema


class Parameters:
    """Those of one method. schemas has one for each, in the order of the signature, or
    is None; those of *args and **kwargs are of every value that these take in."""

    def __init__(self, name: str, call: Callable[..., Any], schemas: Optional[Sequence[Schema]]):
        self.name = name
        self.positional: List[Schema] = []
        self.named: Dict[str, Schema] = {}
        self.places: Dict[str, int] = {}  # of what may be given by position and by name
        self.needed: List[str] = []  # without a default, by name
        self.by_name = False  # some of these cannot be given by position
        self.least = 0  # how many are given by position if none is by name
        self.rest: Sequence[Schema] = ()  # of *args: one or none
        self.more: Sequence[Schema] = ()  # of **kwargs
        try:
            found = list(inspect.signature(call).parameters.values())
        except (TypeError, ValueError):  # a built-in that does not say
            self.positional, self.rest = list(schemas or ()), () if schemas else (anything,)
            return
        if schemas is not None and len(schemas) != len(found):
            raise PolicyError("%s(): params has %d schemas, and the method takes %d: (%s)" % (
                name, len(schemas), len(found), ", ".join(map(str, found))))
        for at, parameter in enumerate(found):
            self._add(parameter, anything if schemas is None else schemas[at])

    def _add(self, parameter: inspect.Parameter, schema: Schema) -> None:
        name, what = parameter.name, parameter.kind
        if what == parameter.VAR_POSITIONAL:
            self.rest = (schema,)
            return
        if what == parameter.VAR_KEYWORD:
            self.more = (schema,)
            return
        if what != parameter.POSITIONAL_ONLY:
            self.named[name] = schema
            self.places[name] = len(self.positional) if what != parameter.KEYWORD_ONLY else 1 << 30
        if what != parameter.KEYWORD_ONLY:
            self.positional.append(schema)
        if parameter.default is parameter.empty:
            if what == parameter.KEYWORD_ONLY:
                self.needed.append(name)
                self.by_name = True
            else:
                self.least += 1
                self.needed += [name] if what != parameter.POSITIONAL_ONLY else []

    def check(self, args: Sequence[Any], kwargs: Mapping[str, Any], mixed: bool) -> None:
        """TypeError if these are not for the method. mixed says that they hold objects
        or functions."""
        given = len(args)
        if given > len(self.positional) and not self.rest or given < self.least and not kwargs:
            raise TypeError("%s() takes %s, not %d" % (self.name, self._count(), given))
        if kwargs or self.by_name:
            self._check_names(given, kwargs)
        for at, value in enumerate(args):
            schema = self.positional[at] if at < len(self.positional) else self.rest[0]
            if (mixed or schema is not anything) and not fits(schema, value, mixed):
                raise self._wrong(str(at + 1), schema, value)
        for name, value in kwargs.items():
            schema = self.named[name] if name in self.named else self.more[0]
            if not fits(schema, value, mixed):
                raise self._wrong(repr(name), schema, value)

    def _check_names(self, given: int, kwargs: Mapping[str, Any]) -> None:
        for name in kwargs:
            if self.places.get(name, 1 << 30) < given:
                raise TypeError("%s() got its argument %r twice" % (self.name, name))
            if name not in self.named and not self.more:
                raise TypeError("%s() has no argument %r" % (self.name, name[:100]))
        for name in self.needed:
            if name not in kwargs and self.places[name] >= given:
                raise TypeError("%s() lacks its argument %r" % (self.name, name))

    def _count(self) -> str:
        most = len(self.positional)
        if self.rest:
            words = "at least %d" % self.least
        else:
            words = str(most) if self.least == most else "%d to %d" % (self.least, most)
        return words + (" argument" if words in ("1", "at least 1") else " arguments")

    def _wrong(self, which: str, schema: Schema, value: Any) -> TypeError:
        return TypeError("%s(): argument %s must be %s, not %s" % (
            self.name, which, spelled(schema), kind(value)))
