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
from .errors import (
    CancelledError, DeadlineError, EndedError, GuestError, LimitError, PolicyError, RevokedError, RunError,
    SandboxError, SetupError, TooLargeError, ViolationError,
)
from .policy import Policy
from .sandbox import Sandbox

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .aio import AsyncRun, AsyncSandbox
    from .capability import Callback, Facet, Grant, anything, callback, expose, facet, reference
    from .results import Event, Execution, Layers, Report, Result, Usage, Violation
    from .run import Run

__version__ = "0.1.0"

__all__ = [
    "AsyncRun", "AsyncSandbox", "Callback", "CancelledError", "DeadlineError", "EndedError", "Event",
    "Execution", "Facet", "Grant", "GuestError", "Layers", "LimitError", "Policy", "PolicyError", "Report",
    "Result", "RevokedError", "Run", "RunError", "Sandbox", "SandboxError", "SetupError", "TooLargeError",
    "Usage", "Violation", "ViolationError", "anything", "callback", "expose", "facet", "reference",
]

_LATER = {  # module: what it defines, imported when it is first asked for
    "aio": ("AsyncRun", "AsyncSandbox"),
    "capability": ("Callback", "Facet", "Grant", "anything", "callback", "expose", "facet", "reference"),
    "results": ("Event", "Execution", "Layers", "Report", "Result", "Usage", "Violation"),
    "run": ("Run",),
}


def __getattr__(name: str) -> object:
    for module, names in _LATER.items():
        if name in names:
            value = getattr(__import__("%s.%s" % (__name__, module), fromlist=[name]), name)
            globals()[name] = value
            return value
    raise AttributeError("module 'pysandbox' has no attribute %r" % name)


def __dir__() -> list[str]:
    return sorted(set(globals()) | set(__all__))
