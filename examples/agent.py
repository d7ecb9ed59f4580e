"""A host that lets code of a model's work on one object of its own.

    PYTHONPATH=cpython-shim/python python3 examples/agent.py

The code runs in a sandbox and never sees the object: it holds a number, and the
host answers the calls that were exposed. What went wrong is told in words that a
model can act on.
"""

from pysandbox import GuestError, Policy, Sandbox, expose


class Orders:
    """Stays in this process, with whatever it can reach."""

    @expose(params=(int,), returns=(str, None))
    def status(self, number):
        return {7: "shipped", 8: "waiting"}.get(number)


FIRST = "print('order 7 is', orders.status(7))"
SECOND = "import socket; socket.create_connection(('192.0.2.7', 8080))"

with Sandbox(Policy.preset("strict").narrow(wall=60)) as sandbox:
    sandbox.grant("orders", Orders())
    for code in (FIRST, SECOND):
        try:
            print("it says:", sandbox.exec(code).stdout.decode().strip())
        except GuestError as error:
            print("tell the model:", str(error).splitlines()[-1])
