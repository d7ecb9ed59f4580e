"""Applets, as Grail had them: Python from a web page, run for the reader.

Each origin (scheme, host and port) has one sandbox. Its applets may connect to
that host and port and nowhere else, keep files in a private home that lasts from
visit to visit, see five environment variables, and reach the browser through the
capabilities page, history and log. When the page is left, an applet's __cleanup__
gets a moment, and then the sandbox ends.
"""
import hashlib
import http.client
import ipaddress
import os
import re
import shutil
import tempfile
import time
import urllib.request
from urllib.parse import urlsplit

from pysandbox import DeadlineError, GuestError, RunError, Sandbox, SandboxError, expose, files

HOME = "/home/sandbox"
MAX_SOURCE = 1 << 20  # bytes of an applet
DEEP = 16  # parts of the path of a file that is kept
ENTRY = 256  # bytes of the quota that each part of a file's path takes
PORTS = {"http": 80, "https": 443}
PREPARE = """
import os
for _name in list(os.environ):
    if _name not in ("HOME", "LOGNAME", "PWD", "TMPDIR", "USER"):
        del os.environ[_name]
os.environ.update(LOGNAME="nobody", USER="nobody", PWD=os.environ["HOME"])
os.chdir(os.environ["HOME"])
_applets = {}
"""


class AppletError(Exception):
    """An applet could not be loaded."""


class Page:
    """The part of the page that belongs to one applet."""

    MOST = 64 << 10  # characters

    def __init__(self):
        self.title, self.text = "", ""

    @expose(params=(str,), raises=(ValueError,))
    def write(self, text):
        if len(self.text) + len(text) > self.MOST:
            raise ValueError("the page is full")
        self.text += text

    @expose(params=(str,))
    def set_title(self, text):
        self.title = text[:200]

    @expose
    def clear(self):
        self.text = ""


class History:
    """The last visits to one origin; an applet is not told of others."""

    MOST = 64 << 10  # characters of all URLs

    def __init__(self):
        self.visits = []

    @expose(returns=list)
    def list(self):
        kept, left = [], self.MOST
        for url in reversed(self.visits):
            left -= len(url)
            if left < 0:
                break
            kept.insert(0, url)
        return kept


class Log:
    """Lines for the reader's console, no more than a thousand."""

    def __init__(self):
        self.lines = []

    @expose(params=(str,))
    def write(self, line):
        if len(self.lines) < 1000:
            self.lines.append(line[:1000])


class Origin:
    """One origin: its sandbox, its home and its capabilities."""

    def __init__(self, key, homes, quota, deadline):
        self.key, self.quota, self.deadline = key, quota, deadline
        self.home = os.path.join(homes, hashlib.sha256(repr(key).encode()).hexdigest()[:32])
        self.page, self.history, self.log = Page(), History(), Log()
        self.applets = {}
        self.sandbox = Sandbox(policy_for(key, quota), deadline=deadline)
        for name in ("page", "history", "log"):
            self.sandbox.grant(name, getattr(self, name))
        self.sandbox.exec(PREPARE)
        self._restore()

    def _restore(self):
        os.makedirs(self.home, mode=0o700, exist_ok=True)
        for name in files.walk_below(self.home):
            self.sandbox.exec("os.makedirs(os.path.dirname(%r), exist_ok=True)" % (HOME + "/" + name))
            self.sandbox.write_file(HOME + "/" + name, files.read_below(self.home, name, self.quota))

    def _save(self):
        """Keeps what the guest has in its home, as far as the quota goes. Where that takes
        longer than the deadline, what it had at the last visit stays."""
        left, until = self.quota, time.monotonic() + self.deadline
        new = tempfile.mkdtemp(dir=os.path.dirname(self.home))
        try:
            for name, _ in sorted(self.sandbox.list_files(HOME).items()):
                parts, seconds = name.count("/") + 1, until - time.monotonic()
                if seconds <= 0:
                    return
                if left <= parts * ENTRY:
                    break
                if parts > DEEP:
                    continue
                try:
                    data = self.sandbox.read_file(HOME + "/" + name, left - parts * ENTRY, timeout=seconds)
                except GuestError:
                    continue  # too large for what is left, or gone
                left -= len(data) + parts * ENTRY
                files.write_below(new, name, data)
            old = new + ".old"
            os.rename(self.home, old)
            os.rename(new, self.home)
            shutil.rmtree(old, ignore_errors=True)
        finally:
            shutil.rmtree(new, ignore_errors=True)

    def run(self, name, source, params):
        """Makes the applet NAME of source with its parameters."""
        self.sandbox.exec(source, filename=name + ".py")
        self.sandbox.exec("_params = {}")
        for key, value in params.items():
            self.sandbox.exec("_params[%r] = %r" % (key, value))
        self.sandbox.exec("_applets[%r] = %s(**_params)" % (name, name))

    def close(self):
        """Lets applets clean up until the deadline, saves the home, and ends."""
        try:
            self.sandbox.exec(
                "for _a in list(_applets.values()):\n"
                "    if hasattr(_a, '__cleanup__'): _a.__cleanup__()\n", timeout=self.deadline)
        except SandboxError:
            pass  # it had its chance
        try:
            self._save()
        except (SandboxError, OSError):
            pass  # a guest that ended keeps what it had at the last visit
        finally:
            self.sandbox.close()
        return self.sandbox.report


def policy_for(key, quota):
    """The policy of an origin: strict, but for its own host and port."""
    _, host, port = key
    try:
        address = ipaddress.ip_address(host)
        local, place = address.is_loopback, "[%s]" % host if address.version == 6 else host
    except ValueError:  # a name
        local, place = host == "localhost", host
    network = {"host_loopback": ["tcp:%d" % port]} if local else {"allow": ["tcp://%s:%d" % (place, port)]}
    return {
        "extends": "strict", "network": network,
        "limits": {
            "tmp_size": quota, "memory": "256MiB", "pids": 16, "cpu": "30s",
            # Without a control group they hold for each process of an applet: good enough.
            "best_effort": ["memory", "pids", "cpu"],
        },
    }


class AppletHost:
    """Loads applets by URL. homes is a directory for the homes of all origins,
    quota the bytes of each, deadline the seconds that a request may take."""

    def __init__(self, homes, quota=1 << 20, deadline=10.0):
        self.homes, self.quota, self.deadline = homes, quota, deadline
        self.origins = {}

    def load(self, url, **params):
        """Loads NAME.py from url and makes its class NAME with params, which are
        int, float or str as the text of each says. Its origin is returned."""
        try:
            parts = urlsplit(url)
            port = parts.port or PORTS.get(parts.scheme)
        except ValueError:  # such as a port that is no number
            raise AppletError("%s is no URL" % url) from None
        match = re.fullmatch(r"(?:.*/)?([A-Za-z]\w*)\.py", parts.path)
        if not port or parts.scheme not in PORTS or not parts.hostname or match is None:
            raise AppletError("%s is no applet; its URL is of http or https and ends in NAME.py" % url)
        key = (parts.scheme, parts.hostname, port)
        source = fetch(url, self.deadline)
        if key not in self.origins:
            self.origins[key] = Origin(key, self.homes, self.quota, self.deadline)
        origin = self.origins[key]
        origin.history.visits.append(url)
        try:
            origin.run(match.group(1), source, {name: coerce(text) for name, text in params.items()})
        except (RunError, DeadlineError) as problem:
            if getattr(problem, "killed", True):
                self.leave(origin)  # the next applet of the origin gets a sandbox that lives
            raise
        return origin

    def leave(self, origin):
        """Ends the applets of an origin; its home stays."""
        self.origins.pop(origin.key, None)
        return origin.close()

    def close(self):
        for origin in list(self.origins.values()):
            self.leave(origin)


class SameOrigin(urllib.request.HTTPRedirectHandler):
    """Follows no redirection to another origin, which would be asked in our name."""

    def redirect_request(self, request, answer, code, message, headers, url):
        if urlsplit(url)[:2] != urlsplit(request.full_url)[:2]:
            raise AppletError("%s leads to another origin" % request.full_url)
        return super().redirect_request(request, answer, code, message, headers, url)


def fetch(url, seconds):
    """The source at url, which is of the same origin."""
    until, source = time.monotonic() + seconds, b""
    try:
        with urllib.request.build_opener(SameOrigin).open(url, timeout=seconds) as answer:
            while len(source) <= MAX_SOURCE:
                part = answer.read1(MAX_SOURCE + 1 - len(source))
                if not part:
                    break
                source += part
                if time.monotonic() > until:  # however slowly it comes
                    raise AppletError("%s did not come within %g seconds" % (url, seconds))
    except (OSError, http.client.HTTPException) as problem:
        raise AppletError("%s could not be fetched: %s" % (url, problem or type(problem).__name__)) from None
    if len(source) > MAX_SOURCE:
        raise AppletError("%s has more than %d bytes" % (url, MAX_SOURCE))
    try:
        return source.decode()
    except UnicodeDecodeError:
        raise AppletError("%s is not in UTF-8" % url) from None


def coerce(text):
    """A parameter as an int, a float or the text itself, as Grail did."""
    for kind in (int, float):
        try:
            return kind(text)
        except (TypeError, ValueError):
            continue
    return str(text)


def shown(text):
    """Text that moves no terminal."""
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def main():
    import sys
    if len(sys.argv) < 2:
        sys.exit("usage: applets.py URL [NAME=VALUE...]")
    url, *words = sys.argv[1:]
    for word in words:
        if "=" not in word:
            sys.exit("applets.py: %r is no parameter; write NAME=VALUE" % word)
    data = os.environ.get("XDG_DATA_HOME") or os.path.expanduser("~/.local/share")
    host = AppletHost(os.path.join(data, "applet-homes"))
    began = time.monotonic()
    try:
        origin = host.load(url, **dict(word.split("=", 1) for word in words))
        print(shown("%s\n%s" % (origin.page.title, origin.page.text)))
        print("".join("log: %s\n" % shown(line) for line in origin.log.lines), end="")
    except (AppletError, SandboxError) as problem:
        sys.exit("applets.py: %s" % problem)
    finally:
        host.close()
    print("%.2f seconds" % (time.monotonic() - began))


if __name__ == "__main__":
    main()
