"""Calls to the host that tasks of asyncio await. One thread waits for all of them."""
import asyncio
from _thread import start_new_thread
from collections import deque
from weakref import WeakKeyDictionary

from ._codec import CALL, FrameError
from ._reading import Pending

MOST = 60  # calls of one loop that are under way; the host takes 64 of all threads

known: "WeakKeyDictionary" = WeakKeyDictionary()  # event loop: its Calls


def calls(connection):
    """The Calls of the running loop."""
    loop = asyncio.get_running_loop()
    found = known.get(loop)
    if found is None:
        found = known[loop] = Calls(connection)
    return found


class Awaited(Pending):
    """A call whose end is told to a task. done is set by whichever thread reads."""

    __slots__ = ("loop", "future")

    def __init__(self, loop):
        self.loop, self.future = loop, loop.create_future()
        Pending.__init__(self)

    @property
    def done(self):
        return False

    @done.setter
    def done(self, value):
        if value:
            try:
                self.loop.call_soon_threadsafe(self.tell)
            except RuntimeError:
                pass  # the loop is closed

    def tell(self):
        if not self.future.done():
            self.future.set_result(None)


class Calls:
    """Those of one loop, in whose thread everything but keep runs. More than MOST wait
    for their turn."""

    def __init__(self, connection):
        self.connection = connection
        self.under_way = 0
        self.waiting = deque()  # a future each
        self.keeper = None  # of the thread that waits

    async def call(self, target, method, args, kwargs):
        """Calls a method of the host's object. A task that is cancelled tells the host."""
        if self.under_way < MOST:
            self.under_way += 1
        else:
            await self.turn()
        try:
            return await self.ask(target, method, args, kwargs)
        finally:
            self.leave()

    async def turn(self):
        """Waits for the place of a call that ends."""
        came = asyncio.get_running_loop().create_future()
        self.waiting.append(came)
        try:
            await came
        except asyncio.CancelledError:
            if came.done() and not came.cancelled():
                self.leave()
            raise

    def leave(self):
        """Gives the place of a call to the next one."""
        while self.waiting:
            came = self.waiting.popleft()
            if not came.done():
                came.set_result(None)
                return
        self.under_way -= 1
        if self.under_way == 0 and self.keeper is not None:
            keeper, self.keeper = self.keeper, None
            self.connection.reading.finish(keeper)

    async def ask(self, target, method, args, kwargs):
        connection, slot = self.connection, Awaited(asyncio.get_running_loop())
        try:
            number = connection.number(slot)
            connection.send([CALL, number, 0, target, method, list(args), kwargs])
            if self.keeper is None:
                keeper = Pending()
                start_new_thread(self.keep, (keeper,))
                self.keeper = keeper
            await slot.future
        except BaseException:
            connection.cancel(slot.number)
            raise
        finally:
            connection.forget(slot)
        return slot.result()

    def keep(self, keeper):
        """Takes in, in a thread of its own, what no other thread does."""
        try:
            self.connection.reading.wait(keeper)
        except (ConnectionError, FrameError):
            pass  # the tasks are told
