"""What may cross to a guest: methods that were exposed, of objects that were
granted. A guest names a method by text; the text is looked up in a table made
when the object was granted, and never reaches getattr.
"""
from __future__ import annotations

from _thread import allocate_lock

from .errors import PolicyError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import (
        Any, Callable, Dict, Iterable, Optional, Sequence, Tuple, TypeVar, overload,
    )

    from .connection import Connection

    F = TypeVar("F", bound=Callable[..., Any])
    Schema = Any  # a type, None, reference(...), callback, or a tuple of these: any of them


class Exposed:
    """How one method may be called: the schemas of its parameters and result, or
    None for any plain data, and the exceptions that the guest may see."""

    __slots__ = ("params", "returns", "raises")

    def __init__(self, params: Optional[Sequence[Schema]], returns: Schema, raises: Tuple[type, ...]):
        self.params, self.returns, self.raises = params, returns, raises


class Unchecked:
    """The schema of whatever is plain data, and of functions if the grant lets them
    pass: the one of a parameter or a result for which none is named."""

    def __repr__(self) -> str:
        return "anything"


anything = Unchecked()


class callback:
    """The schema of a function of the guest's, which arrives as a Callback."""


class reference:
    """The schema of an object that stays in the host: among the results of a method,
    reference("get", "put") is one of which the guest may call get and put and no more.
    As a parameter, it is one whose get and put the guest was granted, and reference()
    is any object that the guest was granted."""

    def __init__(self, *methods: str):
        self.methods = methods


if TYPE_CHECKING:
    @overload
    def expose(function: F) -> F: ...

    @overload
    def expose(*, params: Optional[Sequence[Schema]] = None, returns: Schema = anything,
               raises: Sequence[type] = ()) -> Callable[[F], F]: ...


def expose(function: Optional[Callable[..., Any]] = None, *, params: Optional[Sequence[Schema]] = None,
           returns: Schema = anything, raises: Sequence[type] = ()) -> Any:
    """Marks a method as one that a guest may be granted. params are the schemas of
    the parameters without self, returns that of the result, and raises the
    exception classes that the guest is told by name and message. Any other
    exception is told as a RemoteError without a word of the host's.

    A schema is a type (bool, int, float, str, bytes, list, dict), None, reference(...),
    callback, anything (plain data, and functions if the grant lets them pass), object
    (that, and objects that the guest was granted), or a tuple of these: one of them.
    Types are exact, but for an int that is given for a float. Without params or
    returns, anything is. params has one schema for each parameter in the order of the
    signature, keyword-only ones too; that of *args or **kwargs is of each value in it.
    A subclass's override of a marked method is marked too, or it hides the method.
    TypeError for what is no schema, and PolicyError from grant if their number is not
    that of the parameters."""
    exposed = Exposed(_schemas(params), _schema(returns, RESULTS, "returns"), _classes(raises))

    def mark(method: F) -> F:
        if isinstance(method, (type, tuple)):
            raise TypeError("expose() marks methods, and this is %r; name what schemas are of, as in "
                            "@expose(params=(int,), returns=str)" % (method,))
        if not callable(method) and not isinstance(method, (staticmethod, classmethod)):
            raise TypeError("expose() marks methods, and this is a " + type(method).__name__)
        setattr(method, "__pysandbox__", exposed)
        return method
    return mark if function is None else mark(function)


def _schemas(params: Optional[Sequence[Schema]]) -> Optional[Tuple[Schema, ...]]:
    if params is None:
        return None
    if not isinstance(params, (list, tuple)):
        raise TypeError("params=%r: it is a list of schemas, one for each parameter" % (params,))
    return tuple(_schema(one, ARGUMENTS, "params[%d]" % at) for at, one in enumerate(params))


def _schema(schema: Schema, types: Tuple[type, ...], where: str) -> Schema:
    """A schema, if it is one. TypeError otherwise."""
    if isinstance(schema, tuple) and schema:
        return tuple(_schema(one, types, where) for one in schema)
    if schema is None or schema in (anything, object, callback) or isinstance(schema, reference):
        return schema
    if isinstance(schema, type) and schema in types:
        return schema
    raise TypeError("%s=%r is no schema; there are None, %s, anything, object, callback, reference(...) and "
                    "tuples of these" % (where, schema, ", ".join(one.__name__ for one in types)))


def _classes(raises: Sequence[type]) -> Tuple[type, ...]:
    if not isinstance(raises, (list, tuple)) or not all(
            isinstance(one, type) and issubclass(one, BaseException) for one in raises):
        raise TypeError("raises=%r: it is a list of exception classes" % (raises,))
    return tuple(raises)


ARGUMENTS = (bool, int, float, str, bytes, list, dict)  # the types of what arrives
RESULTS = ARGUMENTS + (tuple, bytearray, memoryview)


class Entry:
    """One method in the table of a facet."""

    __slots__ = ("name", "call", "exposed", "parameters", "is_async")

    def __init__(self, name: str, call: Callable[..., Any], exposed: Exposed):
        self.name, self.call, self.exposed = name, call, exposed
        import inspect  # which a sandbox without capabilities does not need
        from .parameters import Parameters
        self.is_async = inspect.iscoroutinefunction(call)
        self.parameters = Parameters(name, call, exposed.params)


def fits(schema: Schema, value: Any, mixed: bool = False) -> bool:
    """Whether a value is of a schema. Types are exact, so True is no int. Of mixed
    values, a list or a dict may hold what is no plain data."""
    if type(value) is schema and not mixed:
        return True
    if isinstance(schema, tuple):
        return any(fits(one, value, mixed) for one in schema)
    if schema is anything:
        return not mixed or not _holds(Facet, value)
    if schema is object:
        return True
    if schema is None:
        return value is None
    if isinstance(schema, reference):
        return isinstance(value, Facet) and all(name in value.table for name in schema.methods)
    if schema is callback:
        return callable(value)
    if schema is float:
        return type(value) in (int, float)
    return type(value) is schema and not (mixed and _holds((Facet, Callback), value))


def _holds(kinds: Any, value: Any) -> bool:
    """Whether a value is, or holds, one of these kinds."""
    if type(value) is list:
        return any(_holds(kinds, one) for one in value)
    if type(value) is dict:
        return any(_holds(kinds, one) for one in value.values())
    return isinstance(value, kinds)


def things(value: Any) -> Any:
    """A value with the objects themselves where it has their facets."""
    if isinstance(value, Facet):
        return value.thing
    if type(value) is list:
        return [things(one) for one in value]
    if type(value) is dict:
        return {key: things(one) for key, one in value.items()}
    return value


def spelled(schema: Schema) -> str:
    """A schema in the words of an error."""
    if isinstance(schema, tuple):
        return " or ".join(map(spelled, schema)) or "left out"
    if isinstance(schema, reference):
        return "an object with " + ", ".join(schema.methods) if schema.methods else "an object"
    if schema is callback:
        return "a function"
    if schema is anything or schema in (list, dict):
        return "plain data" if schema is anything else "a %s of plain data" % schema.__name__
    return "None" if schema is None else str(schema.__name__)


def kind(value: Any) -> str:
    """The kind of an argument in the words of an error."""
    if isinstance(value, Facet):
        return "an object with " + ", ".join(sorted(value.table))
    return "a function" if isinstance(value, Callback) else type(value).__name__


PLAIN = (bool, int, float, str, bytes, bytearray, list, tuple, dict)


class Facet:
    """An object with the table of the methods that may be called. label is what the
    guest's repr() says of it."""

    def __init__(self, thing: Any, table: Dict[str, Entry], grant: Optional[Grant] = None,
                 label: str = ""):
        self.thing, self.table, self.grant, self.label = thing, table, grant, label

    @property
    def key(self) -> Tuple[int, Tuple[str, ...], int]:
        """Equal for the same methods of the same object."""
        return (id(self.thing), tuple(sorted(self.table)), id(self.grant))

    def alive(self) -> bool:
        """Whether its grant was not revoked."""
        return self.grant is None or not self.grant.revoked


def facet(thing: Any, methods: Optional[Iterable[str]] = None, grant: Optional[Grant] = None) -> Facet:
    """The named methods of an object, or all exposed ones. PolicyError for a name
    that is private or was not exposed."""
    if isinstance(methods, str):
        methods = [methods]
    if isinstance(thing, Facet):
        names = list(thing.table) if methods is None else list(methods)
        missing = [name for name in names if name not in thing.table]
        if missing:
            raise PolicyError("the facet has no %s" % ", ".join(missing))
        table = {name: thing.table[name] for name in names}
        return Facet(thing.thing, table, grant or thing.grant, thing.label)
    offer = getattr(type(thing), "__pysandbox_facet__", None)
    if offer is not None:
        table = {name: Entry(
            name, call, Exposed(None, anything, raises)) for name, (call, raises) in offer(thing).items()}
        label = getattr(type(thing), "__pysandbox_label__", str)
        return facet(Facet(thing, table, None, label(thing) if label is not str else ""), methods, grant)
    found = exposed_methods(thing)
    if methods is None:
        methods = sorted(found)
    table = {}
    for name in methods:
        if name[:1] == "_" or name not in found:
            raise PolicyError("%s.%s is not exposed; mark it with @expose" % (type(thing).__name__, name))
        table[name] = found[name]
    if not table:
        raise PolicyError("%s exposes no method; grant an instance of a class that marks some with "
                          "@expose" % type(thing).__name__)
    return Facet(thing, table, grant)


def exposed_methods(thing: Any) -> Dict[str, Entry]:
    """The exposed methods of an object's class, by name. An override stands for itself:
    one that is not marked hides the method, which it may have been written to take
    away."""
    found, seen = {}, set()
    for kind in type(thing).__mro__:
        for name, member in vars(kind).items():
            if name in seen:
                continue
            seen.add(name)
            exposed = getattr(member, "__pysandbox__", None)
            if exposed is None:  # a staticmethod or classmethod of an exposed function
                exposed = getattr(getattr(member, "__func__", None), "__pysandbox__", None)
            if isinstance(exposed, Exposed) and name[:1] != "_":
                found[name] = Entry(name, member.__get__(thing, type(thing)), exposed)
    return found


RESERVED = ("Capability", "RemoteError", "RevokedError", "error", "names")  # pysandbox_guest has these


def check_name(name: str) -> None:
    """PolicyError for what a capability may not be named."""
    from keyword import iskeyword
    if not name.isidentifier() or iskeyword(name) or name[:1] == "_" or name in RESERVED:
        raise PolicyError("%r is no name for a capability; that is an identifier, no keyword, without an "
                          "underscore at its beginning, and none of %s" % (name, ", ".join(RESERVED)))


class Grant:
    """What sb.grant returns: the means to take a capability back."""

    def __init__(self, name: str, callbacks: bool, on_revoke: Callable[[Grant], None]):
        self.name, self.callbacks = name, callbacks
        self.revoked = False
        self.facet: Optional[Facet] = None
        self._on_revoke = on_revoke
        self._lock = allocate_lock()

    def revoke(self) -> None:
        """From now on every call, and every call that is under way, ends in a
        RevokedError in the guest, also on objects that the capability returned."""
        with self._lock:
            if self.revoked:
                return
            self.revoked = True
        self._on_revoke(self)

    def __repr__(self) -> str:
        return "<Grant %s%s>" % (self.name, ", revoked" if self.revoked else "")


class Callback:
    """A function of the guest's, in the host's hands. It runs in a thread of the
    guest's that waits for the host: in a call of a capability, or, in a live
    sandbox, between two requests. While no thread waits, because the guest computes
    or sleeps, the call waits; at its deadline it is given up, and has not begun."""

    def __init__(self, connection: Connection, number: int):
        self._connection, self.number = connection, number

    def __call__(self, *args: Any, timeout: Optional[float] = None) -> Any:
        """Calls it with plain data or objects that were granted. GuestError if it
        raises, DeadlineError if it does not answer within timeout seconds."""
        return self._connection.call(self.number, "__call__", args, {}, timeout)

    def _belongs_to(self, connection: Connection) -> bool:
        return self._connection is connection

    def __del__(self) -> None:
        self._connection.release(self.number)
