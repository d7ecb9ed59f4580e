"""Inside a sandbox: the capabilities that the host has granted.

    from pysandbox_guest import store    # what the host granted as "store"
    store.get("key")

A name that was not granted is an ImportError, as is every one of these in a program
that was started without a client, under rules on imports alone. Capability,
RemoteError and RevokedError are for isinstance and except; error("Name") is the class
of the host's registered exceptions of that name, a subclass of RemoteError and of the
built-in exception of the same name.
"""
_connection = None


def __getattr__(name):
    if name[:1] == "_":
        raise AttributeError("module 'pysandbox_guest' has no attribute " + repr(name))
    if _connection is None:
        raise AttributeError("no capability %r: this program was started without a client" % name)
    if name in ("Capability", "RemoteError", "RevokedError"):
        from . import _objects as objects
        return getattr(objects, name)
    try:
        return _connection.lookup(name)
    except LookupError as problem:
        raise AttributeError(str(problem)) from None


def error(name):
    """The class of the host's exceptions of that name."""
    if _connection is None:
        raise RuntimeError("this program was started without a client")
    return _connection.error(name)


def names():
    """The names of all that was granted, sorted."""
    return [] if _connection is None else _connection.call(0, "names", (), {})
