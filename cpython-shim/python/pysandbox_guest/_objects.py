"""What the program holds of the host: capabilities, and the errors of their methods."""


class RemoteError(Exception):
    """A method of the host failed. type_name is the name of its exception."""

    type_name = "RemoteError"


class RevokedError(RemoteError):
    """The host has taken the capability back."""

    type_name = "RevokedError"


class Capability:
    """An object of the host's. Its methods are those that the host exposed, which it
    is asked for once."""

    __slots__ = ("_connection", "_number", "_methods", "_label", "__weakref__")

    def __init__(self, connection, number):
        object.__setattr__(self, "_connection", connection)
        object.__setattr__(self, "_number", number)
        object.__setattr__(self, "_methods", None)

    def _describe(self, methods, label):
        object.__setattr__(self, "_label", label)
        object.__setattr__(self, "_methods", frozenset(methods))
        return self._methods

    def _known(self):
        """The names of the methods."""
        return self._methods or self._describe(*self._connection.call(0, "describe", (self,), {}))

    def __dir__(self):
        return self._known()

    def __getattr__(self, name):
        if name[:1] == "_" or name not in self._known():
            raise AttributeError("a capability has no attribute " + repr(name))
        return Method(self, name)

    def __setattr__(self, name, value):
        raise AttributeError("a capability has no attributes to set")

    def __call__(self, *args, **kwargs):
        return self._connection.call(self._number, "__call__", args, kwargs)

    def __repr__(self):
        try:
            self._known()
            label = self._label
        except Exception:
            label = ""  # it was revoked
        return "<%s>" % (label or "capability %d" % self._number)

    def __del__(self):
        self._connection.dropped(self._number, self)


class Method:
    """One method of a capability: called it waits, and call_async is awaited."""

    __slots__ = ("_capability", "__name__")

    def __init__(self, capability, name):
        self._capability, self.__name__ = capability, name

    def __call__(self, *args, **kwargs):
        stub = self._capability
        return stub._connection.call(stub._number, self.__name__, args, kwargs)

    async def call_async(self, *args, **kwargs):
        """The same without blocking the event loop. A task that is cancelled cancels
        the host's method too, if that is an async one."""
        from ._async import calls
        stub = self._capability
        return await calls(stub._connection).call(stub._number, self.__name__, args, kwargs)

    def __repr__(self):
        return "<method %s of %r>" % (self.__name__, self._capability)
