"""The guest's end of the capability channel: calls to the host, and the host's
calls to what runs here. Nothing of it protects anything; the host checks all.
"""
import os
from _thread import allocate_lock
from _weakref import ref

from . import _codec as codec
from ._codec import CALL, CANCEL, ERROR, FREE, HELLO, RELEASE, RETURN, REVOKED
from ._interrupt import Interrupt
from ._objects import Capability, RemoteError, RevokedError
from ._tables import Area, Exports

MAX_NESTING = 16  # calls of the host within calls of ours within ...


class Pending:
    """A call that waits for its answer, or a thread that waits for calls."""

    __slots__ = ("done", "value", "failure", "wake")

    def __init__(self):
        self.done = False
        self.value = self.failure = self.wake = None

    def result(self):
        if self.failure is not None:
            raise self.failure
        return self.value


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
        self._lock = allocate_lock()
        self._reading = False
        self._waiting = []
        self._pending = {}
        self._stubs = {}  # number: [weak reference, times received]
        self._last = 0
        self._nesting = 0
        for own in (fd, inbox, outbox):
            os.set_inheritable(own, False)
        self.interrupt = Interrupt(self.drain, serves)
        self.send([HELLO, codec.VERSION])

    # Frames

    def send(self, frame):
        os.write(self.fd, self._encode(frame))

    def _encode(self, frame):
        put = []
        with self.interrupt:
            try:
                return codec.encode(frame, lambda value: self._refer(value, put))
            except BaseException:
                for offset in put:
                    self.area.free(offset)
                raise

    def _refer(self, value, put):
        if isinstance(value, Capability):
            return -1 - object.__getattribute__(value, "_number")
        if isinstance(value, (bytes, bytearray, memoryview)):
            place = self.area.put(value)
            put.append(place[0])
            return place
        if callable(value) and not isinstance(value, type):
            return self.exports.add(id(value), value)
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
            except OSError:
                pass  # the channel is gone, and so is the object

    # Calls to the host

    def call(self, target, method, args, kwargs):
        """Calls a method of the host's object and returns its result."""
        slot = Pending()
        number = self.number(slot)
        try:
            self.send([CALL, number, 0, target, method, list(args), kwargs])
            self.wait(slot)
        except KeyboardInterrupt:
            self.cancel(number)
            raise
        finally:
            self.forget(number)
        return slot.result()

    def number(self, slot):
        """The number of a new call, whose answer goes to slot until it is forgotten."""
        with self.interrupt, self._lock:
            self._last = number = self._last + 1
            self._pending[number] = slot
        return number

    def forget(self, number):
        self._pending.pop(number, None)

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

    def wait(self, slot):
        """Reads frames, or lets another thread read them, until slot is done."""
        while not slot.done:
            calls = []
            try:
                with self.interrupt:
                    leads = self._lead(slot)
                    if leads:
                        self._take_in(calls, lambda: not slot.done and not calls, slot)
                if not leads and not slot.done:
                    slot.wake.acquire()
            finally:
                for frame in calls:
                    self._serve(frame)

    def _lead(self, slot):
        """Whether this thread is to read; otherwise slot.wake will tell it."""
        with self._lock:
            if slot.done:
                return False
            if not self._reading:
                self._reading = True
                return True
            slot.wake = allocate_lock()
            slot.wake.acquire()
            self._waiting.append(slot)
            return False

    def drain(self):
        """Takes in what has arrived, if no thread reads. Whether there was anything."""
        try:
            from select import POLLIN, poll
        except ImportError:
            return False  # a rule on imports hides it
        ready = poll()
        ready.register(self.fd, POLLIN)
        interrupt, calls, found, other = self.interrupt, [], False, False
        interrupt.hold()
        try:
            interrupt.unread = False
            if ready.poll(0):
                found, other = True, not self._leads_now()
                if not other:
                    self._take_in(calls, lambda: ready.poll(0))
            if not other:
                interrupt.ahead = False
        except ConnectionError:
            pass  # whoever calls next is told
        finally:
            interrupt.let()
            for frame in calls:
                self._serve(frame)
        if interrupt.unread and not other:  # a signal has come since
            self.drain()
        interrupt.rest()
        return found

    def _leads_now(self):
        """Whether this thread may read. The one that does looks for what a signal of
        now means."""
        with self._lock:
            if self._reading:
                self.interrupt.later()
                return False
            self._reading = True
            return True

    def _take_in(self, calls, more, own=None):
        """Reads frames as long as there should be more, in the thread that leads.
        Afterwards another one may."""
        try:
            while more() and not self.interrupt.due:
                frame = self._read(own)
                if frame is not None:
                    calls.append(frame)
        finally:
            self._stop_reading()

    def _stop_reading(self):
        with self._lock:
            self._reading = False
            waiting, self._waiting = self._waiting, []
        for slot in waiting:
            slot.wake.release()

    def _read(self, own=None):
        """Takes one frame in. A call that this thread should serve is returned. own is
        the Pending of this thread."""
        data = os.read(self.fd, codec.MAX_FRAME + 1)
        if not data:
            self._lost()
        frame = codec.decode(data, self._resolve)
        kind = frame[0]
        if kind == RETURN or kind == ERROR:
            slot = self._pending.get(frame[1])
            if slot is not None:
                if kind == RETURN:
                    slot.value = frame[2]
                else:
                    slot.failure = self._failure(frame[2], frame[3])
                if slot is own:
                    slot.done = True
                else:
                    self._finish(slot)
        elif kind == FREE:
            self.area.free(frame[1])
        elif kind == RELEASE:
            self.exports.release(frame[1], frame[2])
        elif kind == CANCEL:
            self._cancelled(frame[1])
        elif kind == CALL and frame[3] == 0 and self.server is not None:
            self.work.append(frame)
            self._finish(self.server)
        elif kind == CALL:
            return frame
        elif kind != REVOKED:
            raise codec.FrameError("an unexpected frame of kind %r" % (kind,))
        return None

    def _cancelled(self, number):
        """The host does not wait for a call any more, which may wait for its turn."""
        for frame in list(self.work):
            if frame[1] == number and self._remove(frame):
                self.leave(number)
                return
        self.interrupt.cancel(number)

    def _remove(self, frame):
        try:
            self.work.remove(frame)
        except ValueError:  # the thread that serves was faster
            return False
        return True

    def next_call(self):
        """The next call for the thread that serves, or None."""
        try:
            return self.work.pop(0)
        except IndexError:  # it was cancelled
            return None

    def leave(self, number):
        """Answers a call that was cancelled before it has begun."""
        self.send([ERROR, number, codec.NOT_BEGUN, "", None])

    def _finish(self, slot):
        """Marks a slot as done, and wakes its thread if that waits for another to read."""
        slot.done = True
        with self._lock:
            waits = slot in self._waiting
            if waits:
                self._waiting.remove(slot)
        if waits:
            slot.wake.release()

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
            import builtins
            builtin = getattr(builtins, name, None)
            bases = (RemoteError,)
            if isinstance(builtin, type) and issubclass(builtin, Exception):
                bases = (RemoteError, builtin)
            try:
                known = type(name, bases, {"type_name": name})
            except TypeError:  # a layout of its own
                known = type(name, (RemoteError,), {"type_name": name})
            try:
                known("")
            except TypeError:  # such as UnicodeDecodeError, of which there is the text alone
                known = type(name, bases, {
                    "type_name": name, "__init__": lambda self, *args: None, "__str__": Exception.__str__})
                try:
                    known("")
                except TypeError:  # such as ExceptionGroup
                    known = type(name, (RemoteError,), {"type_name": name})
            known.__module__ = "pysandbox_guest.errors"
            self.errors[name] = known
        return known

    # Calls of the host

    def _serve(self, frame):
        """Runs a function that the host calls back, and answers."""
        _, number, _, target, method, args, kwargs = frame
        function = self.exports.get(target)
        self.answer(number, None if method != "__call__" else function, args, kwargs)

    def answer(self, number, function, args, kwargs, describe=None, done=None):
        """Calls function, then done, and sends what function returns or raises.
        describe(error) gives the traceback as text."""
        self._nesting += 1
        try:
            if function is None or self._nesting > MAX_NESTING:
                raise LookupError(
                    "nothing here has that name" if function is None else "calls are nested too deep")
            try:
                self.interrupt.begin(number)
                result = function(*args, **kwargs)
            finally:
                self.interrupt.end(number)
            frame = self._encode([RETURN, number, result])
        except BaseException as problem:
            self.interrupt.end(number)  # the first may have been interrupted
            frame = self._encode([ERROR, number] + explain(problem, describe))
        finally:
            self._nesting -= 1
        if done is not None:
            done()
        os.write(self.fd, frame)
        self.interrupt.again()


def explain(problem, describe=None):
    """The name, the message and the traceback of an exception, as data."""
    try:
        message = str(problem)
    except Exception:
        message = "<an exception whose text cannot be had>"
    trace = None
    if describe is not None:
        try:
            trace = clean(describe(problem), 32768)
        except Exception:
            trace = None
    return [clean(type(problem).__name__, 200), clean(message, 4096), trace]


def clean(text, most):
    """Text that fits and that UTF-8 can say."""
    return text[:most].encode("utf-8", "backslashreplace").decode()


__all__ = ["Capability", "Connection", "RemoteError", "RevokedError"]
