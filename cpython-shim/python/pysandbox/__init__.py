"""pysandbox: untrusted Python in a confined interpreter, and objects that it may
use. The guest is a process of its own under a policy that the kernel holds; what
crosses is plain data, or a capability.

    from pysandbox import Policy, Sandbox, expose

    class Store:
        @expose(params=(str,), returns=(bytes, None))
        def get(self, key): ...

    with Sandbox(Policy.preset("strict").narrow(memory="128MiB")) as sb:
        grant = sb.grant("store", Store(), methods=["get"])
        sb.eval("store.get('key')")
        grant.revoke()

The program pysandbox must be on PATH, or named in PYSANDBOX_BINARY.
"""
from .capability import Callback, Facet, Grant, anything, callback, expose, facet, reference
from .errors import (
    DeadlineError, EndedError, GuestError, LimitError, PolicyError, RevokedError, RunError,
    SandboxError, SetupError, ViolationError,
)
from .policy import Policy
from .results import Event, Execution, Layers, Report, Result, Usage, Violation
from .run import Run
from .sandbox import Sandbox

__version__ = "0.1.0"

__all__ = [
    "AsyncSandbox", "Callback", "DeadlineError", "EndedError", "Event", "Execution", "Facet", "Grant",
    "GuestError", "Layers", "LimitError", "Policy", "PolicyError", "Report", "Result", "RevokedError",
    "Run", "RunError", "Sandbox", "SandboxError", "SetupError", "Usage", "Violation",
    "ViolationError", "anything", "callback", "expose", "facet", "reference",
]


def __getattr__(name):
    # asyncio takes longer to import than all the rest.
    if name == "AsyncSandbox":
        from .aio import AsyncSandbox
        return AsyncSandbox
    raise AttributeError("module 'pysandbox' has no attribute %r" % name)
