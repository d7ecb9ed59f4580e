"""The guest's end of the capability channel: calls to the host, and the host's
calls to what runs here. Nothing of it protects anything; the host checks all.
"""
import os
from _weakref import ref

from . import _codec as codec
from ._codec import CALL, CANCEL, ERROR, FREE, HELLO, RELEASE, RETURN, REVOKED
from ._failures import explain, remote_error
from ._interrupt import Interrupt
from ._objects import Capability, RemoteError, RevokedError
from ._reading import Pending, Reading
from ._tables import Area, Exports

MAX_NESTING = 16  # calls of the host within calls of ours within ...


class Connection:
    """One channel. Any thread may call; of the threads that wait, one reads. serves
    says that the host runs code here, and not only the program."""

    def __init__(self, serves, fd=3, inbox=4, outbox=5):
        self.fd = fd
        self.area = Area(inbox, outbox)
        self.exports = Exports()
        self.exports.add("root", None)
        self.work = []  # calls for the thread that serves
        self.server = Pending() if serves else None  # of that thread
        self.errors = {}  # name: class
        self.reading = Reading(fd, self._take, self._serve)
        self._pending = {}
        self._stubs = {}  # number: [weak reference, times received]
        self._last = 0
        self._nesting = 0
        for own in (fd, inbox, outbox):
            os.set_inheritable(own, False)
        self.interrupt = Interrupt(self.reading.drain, serves)
        self.reading.watch(self.interrupt)
        self.send([HELLO, codec.VERSION])

    # Frames

    def send(self, frame):
        """Sends a frame. A KeyboardInterrupt comes before it is sent, and then nothing of
        it is left, or after."""
        put = []
        depth = self.interrupt.enter()
        try:
            data = self._encode(frame, put)
            self.reading.room(depth)
            put.clear()  # what another handler raises may come when it has been sent
            os.write(self.fd, data)
        except BaseException:
            self._take_back(put)
            raise
        finally:
            self.interrupt.leave(depth)
            self.interrupt.rest()

    def _encode(self, frame, put):
        """The bytes of a frame. put gets how to give back what is taken for it."""
        try:
            return codec.encode(frame, lambda value: self._refer(value, put))
        except BaseException:
            self._take_back(put)
            raise

    def _take_back(self, put):
        while put:
            function, args = put.pop()
            function(*args)

    def _refer(self, value, put):
        if isinstance(value, Capability):
            return -1 - object.__getattribute__(value, "_number")
        if isinstance(value, (bytes, bytearray, memoryview)):
            place = self.area.put(value)
            put.append((self.area.free, place[:1]))
            return place
        if callable(value) and not isinstance(value, type):
            number = self.exports.add(id(value), value)
            put.append((self.exports.release, (number, 1)))
            return number
        return None

    def _resolve(self, place):
        if isinstance(place, tuple):
            data = self.area.get(*place)
            self.send([FREE, place[0]])
            return data
        if place < 0:
            return self.exports.get(-1 - place)
        return self.stub(place)

    def stub(self, number):
        """The capability with a number of the host's, one object for each."""
        known = self._stubs.get(number)
        stub = known and known[0]()
        if stub is None:
            stub = Capability(self, number)
            known = self._stubs[number] = [ref(stub), 0]
        known[1] += 1
        return stub

    def dropped(self, number, stub):
        """The last reference to a stub is gone."""
        known = self._stubs.get(number)
        if known is not None and known[0]() in (None, stub):
            del self._stubs[number]
            try:
                self.send([RELEASE, number, known[1]])
            except Exception:
                pass  # the channel is gone, and so is the object

    # Calls to the host

    def call(self, target, method, args, kwargs):
        """Calls a method of the host's object and returns its result."""
        slot = Pending()
        try:
            number = self.number(slot)
            self.send([CALL, number, 0, target, method, list(args), kwargs])
            self.reading.wait(slot)
        except KeyboardInterrupt:
            self.cancel(slot.number)
            raise
        finally:
            self.forget(slot)
        return slot.result()

    def number(self, slot):
        """The number of a new call, whose answer goes to slot until it is forgotten."""
        with self.reading.lock:
            self._last = slot.number = self._last + 1
            self._pending[slot.number] = slot
        return slot.number

    def forget(self, slot):
        self._pending.pop(slot.number, None)

    def lookup(self, name):
        """The capability that was granted by that name."""
        stub, methods, label = self.call(0, "lookup", (name,), {})
        stub._describe(methods, label)
        return stub

    def cancel(self, number):
        """Tells the host that nobody waits for a call any more."""
        try:
            self.send([CANCEL, number])
        except OSError:
            pass  # the channel is gone, and the call with it

    def _take(self, own=None):
        """Takes one frame in. own is the Pending of this thread."""
        data = os.read(self.fd, codec.MAX_FRAME + 1)
        if not data:
            self._lost()
        frame = codec.decode(data, self._resolve)
        kind = frame[0]
        if kind == RETURN or kind == ERROR:
            slot = self._pending.pop(frame[1], None)
            if slot is not None:
                if kind == RETURN:
                    slot.value = frame[2]
                else:
                    slot.failure = self._failure(frame[2], frame[3])
                if slot is own:
                    slot.done = True
                else:
                    self.reading.finish(slot)
        elif kind == FREE:
            self.area.free(frame[1])
        elif kind == RELEASE:
            self.exports.release(frame[1], frame[2])
        elif kind == CANCEL:
            self._cancelled(frame[1])
        elif kind == CALL and frame[3] == 0 and self.server is not None:
            self.work.append(frame)
            self.reading.finish(self.server)
        elif kind == CALL:
            self.reading.calls.append(frame)
        elif kind != REVOKED:
            raise codec.FrameError("an unexpected frame of kind %r" % (kind,))

    def _cancelled(self, number):
        """The host does not wait for a call any more, which may wait for its turn."""
        for line in (self.work, self.reading.calls):
            for frame in list(line):
                if frame[1] == number and removed(line, frame):
                    self.interrupt.expect()
                    self.leave(number)
                    return
        self.interrupt.cancel(number)

    def leave(self, number):
        """Answers a call that was cancelled before it has begun."""
        self.send([ERROR, number, codec.NOT_BEGUN, "", None])

    def _lost(self):
        lost = ConnectionError("the host has closed the capability channel")
        for slot in list(self._pending.values()):
            slot.failure, slot.done = lost, True
        if self.server is not None:
            self.server.done = True
        raise lost

    def _failure(self, name, message):
        return self.error(name)(message)

    def error(self, name):
        """The class of the host's exceptions of that name."""
        known = {"RevokedError": RevokedError, "RemoteError": RemoteError}.get(name) or self.errors.get(name)
        if known is None:
            known = self.errors[name] = remote_error(name)
        return known

    # Calls of the host

    def _serve(self):
        self.answer(self.reading.calls, self._function)

    def _function(self, frame):
        return None if frame[4] != "__call__" else self.exports.get(frame[3]), describe, None

    def answer(self, line, find):
        """Answers the first call in line, if there is one: calls a function and sends what
        it returns or raises. find(frame) gives the function or None, describe(error), which
        gives the traceback as text, and what is to be called before the answer. Only the
        function itself can be interrupted."""
        interrupt = self.interrupt
        depth = interrupt.enter()
        try:
            number = self._answer(line, find, depth)
        finally:
            interrupt.leave(depth)
        interrupt.again(number)
        interrupt.rest()

    def _answer(self, line, find, depth):
        """The number of the call, if there was one."""
        frame = first(line)
        if frame is None:
            return None
        number, put = frame[1], []
        if number in self.interrupt.early:
            self.leave(number)
            return number
        try:
            answer = self._perform(frame, find, depth, put)
        except Exception as problem:  # of a signal's handler, at the function's very end
            self.interrupt.enter_again(depth)
            self.interrupt.end(number)
            self._take_back(put)
            answer = codec.encode([ERROR, number] + explain(problem))
        os.write(self.fd, answer)
        return number

    def _perform(self, frame, find, depth, put):
        """Calls the function, and returns the answer. put gets how to give back what is
        taken for it."""
        _, number, _, _, _, args, kwargs = frame
        interrupt, describe, done = self.interrupt, None, None
        self._nesting += 1
        try:
            function, describe, done = find(frame)
            if function is None or self._nesting > MAX_NESTING:
                raise LookupError(
                    "nothing here has that name" if function is None else "calls are nested too deep")
            interrupt.begin(number)
            interrupt.leave(depth)
            interrupt.rest()
            result = function(*args, **kwargs)
            interrupt.enter_again(depth)
            interrupt.end(number)
            answer = self._encode([RETURN, number, result], put)
        except BaseException as caught:
            interrupt.enter_again(depth)
            interrupt.end(number)
            answer = self._encode([ERROR, number] + explain(caught, describe), put)
        finally:
            self._nesting -= 1
        if done is not None:
            done()
        return answer


def describe(problem):
    """The traceback of a function's exception, as text."""
    from ._serve import describe
    return describe(problem)


def first(line):
    """Takes the first call out of a list; None if another thread was faster."""
    try:
        return line.pop(0)
    except IndexError:
        return None


def removed(line, frame):
    """Whether a call was in a list still, out of which it is taken."""
    try:
        line.remove(frame)
    except ValueError:
        return False
    return True


__all__ = ["Capability", "Connection", "RemoteError", "RevokedError"]
