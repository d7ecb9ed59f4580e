"""What the tests of the Python side share."""
import os
import unittest

from pysandbox import Sandbox, expose, facet, reference

GUESTS = [path for path in os.environ.get("PYSANDBOX_GUESTS", "").split(":") if path]
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))


class Case(unittest.TestCase):
    """A test with one sandbox, made when it is first used."""

    policy = "strict"
    options: dict = {}

    def setUp(self):
        self.sb = Sandbox(self.policy, **self.options)
        self.addCleanup(self.sb.close)


class Store:
    """A capability with data, references, failures and callbacks."""

    def __init__(self):
        self.data = {}
        self.children = []

    @expose(params=(str,), returns=(bytes, None))
    def get(self, key):
        return self.data.get(key)

    @expose(params=(str, bytes))
    def put(self, key, value):
        self.data[key] = value

    @expose(params=(str,), raises=(KeyError,))
    def must(self, key):
        return self.data[key]

    @expose
    def secret_failure(self):
        raise RuntimeError("the password is hunter2")

    @expose(returns=reference("name", "parent"))
    def child(self, name):
        self.children.append(Child(self, name))
        return self.children[-1]

    @expose(params=(reference(),), returns=str)
    def own(self, thing):
        return type(thing).__name__

    @expose(params=(reference("name"),), returns=str)
    def name_of(self, child):
        return child._name

    @expose(params=((list, dict, int),))
    def count(self, values):
        return len(values)

    @expose(params=(object,))
    def kinds(self, values):
        return [type(value).__name__ for value in values]

    @expose(params=(str,), returns=(reference("name"), str))
    def either(self, name):
        return Child(self, name) if name else "none"

    @expose
    def echo(self, value):
        return value

    @expose
    def huge(self):
        return "x" * (70 << 20)

    @expose
    def twice(self, function):
        return function(function(1))

    @expose
    async def later(self, value):
        import asyncio
        await asyncio.sleep(0.01)
        return value

    def hidden(self):
        return "hidden"


class Child:
    def __init__(self, store, name):
        self.store, self._name = store, name

    @expose(returns=str)
    def name(self):
        return self._name

    @expose
    def parent(self):
        return facet(self.store, ["own"])

    @expose
    def other(self):
        return 1
