"""The applet host of examples/applets with real servers and hostile origins."""
import contextlib
import functools
import http.server
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
import unittest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "examples", "applets"))

from applets import AppletError, AppletHost, policy_for  # noqa: E402
from pysandbox import EndedError, GuestError, Policy, SandboxError, files  # noqa: E402

SITE = os.path.join(ROOT, "examples", "applets", "site")


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


@contextlib.contextmanager
def serve(directory, handler=Quiet):
    made = functools.partial(handler, directory=directory)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), made)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1]
    finally:
        server.shutdown()
        server.server_close()


class Applets(unittest.TestCase):
    def setUp(self):
        self.homes = tempfile.mkdtemp()
        self.host = AppletHost(self.homes, deadline=10)
        self.addCleanup(lambda: self.host.close())
        self.site = tempfile.mkdtemp()

    def applet(self, name, body):
        lines = "".join("        %s\n" % line for line in body.splitlines())
        with open(os.path.join(self.site, name + ".py"), "w") as file:
            file.write("import os, socket, sys, time\nclass %s:\n    def __init__(self, **params):\n%s" % (
                name, lines))

    def test_the_example(self):
        with serve(SITE) as port:
            url = "http://127.0.0.1:%d/Counter.py" % port
            for visit in (1, 2):
                origin = self.host.load(url, greeting="Hi", port=str(port))
                self.assertEqual(origin.page.text, "Hi, visit number %d\nThe news of the origin.\n" % visit)
                self.assertEqual(origin.log.lines, ["variables: HOME LOGNAME PWD TMPDIR USER"])
                self.assertEqual(self.host.leave(origin).outcome, "exited")

    def test_applets_of_one_origin_share_a_sandbox_and_its_history(self):
        self.applet("First", "global shared\nshared = 5")
        self.applet("Second", "page.write('%d %d' % (shared, len(history.list())))")
        with serve(self.site) as port:
            base = "http://127.0.0.1:%d/" % port
            self.host.load(base + "First.py")
            self.assertEqual(self.host.load(base + "Second.py").page.text, "5 2")

    def test_only_the_origin_is_reached(self):
        self.applet("Reach", "s = socket.create_connection(('127.0.0.1', params['port']), 5)\n"
                             "page.write('connected')")
        with serve(self.site) as port, serve(SITE) as other:
            url = "http://127.0.0.1:%d/Reach.py" % port
            self.assertEqual(self.host.load(url, port=port).page.text, "connected")
            with self.assertRaises(GuestError) as caught:
                self.host.load(url, port=other)
            self.assertIn(caught.exception.type_name, ("ConnectionRefusedError", "PermissionError"))

    def test_two_origins_cannot_see_each_other(self):
        marks = ["/home/sandbox/mark", "/tmp/mark", "/dev/shm/mark"]
        self.applet("Leave", "for p in %r: open(p, 'w').write('secret')\n"
                             "global s\ns = socket.socket(socket.AF_UNIX)\ns.bind('\\0mark')\ns.listen()\n"
                             "t = socket.socket()\nt.bind(('127.0.0.1', 45454))\nt.listen()\n"
                             "global keep\nkeep = t\n"
                             "page.write('left')" % (marks,))
        self.applet("Look", "seen = []\n"
                            "for p in %r:\n    if os.path.exists(p): seen.append(p)\n"
                            "for family, address in ((socket.AF_UNIX, '\\0mark'),"
                            " (socket.AF_INET, ('127.0.0.1', 45454))):\n"
                            "    c = socket.socket(family)\n    c.settimeout(3)\n"
                            "    try: c.connect(address); seen.append(str(address))\n"
                            "    except OSError: pass\n"
                            "seen += [p for p in os.listdir('/proc') if p.isdigit() and int(p) > 2]\n"
                            "page.write(' '.join(seen))" % (marks,))
        with serve(self.site) as one, serve(self.site) as two:
            a = self.host.load("http://127.0.0.1:%d/Leave.py" % one)
            b = self.host.load("http://127.0.0.1:%d/Look.py" % two)
            self.assertEqual((a.page.text, b.page.text), ("left", ""))
            self.assertEqual(b.history.visits, ["http://127.0.0.1:%d/Look.py" % two])
            # The control: the same look from within sees all of it.
            a.page.clear()
            self.host.load("http://127.0.0.1:%d/Look.py" % one)
            for mark in marks + ["mark", "45454"]:
                self.assertIn(mark, a.page.text)

    def test_the_home_lasts_and_has_a_quota(self):
        self.applet("Fill", "try:\n    with open('big', 'wb') as f:\n"
                            "        for i in range(100): f.write(bytes(1 << 16))\n"
                            "except OSError as e: page.write(e.strerror)\nopen('/tmp/ok', 'w')")
        self.applet("Sub", "os.makedirs('a/b', exist_ok=True)\nopen('a/b/c', 'w').write('deep')\n"
                           "os.symlink('/etc/passwd', 'link')")
        self.applet("Check", "page.write(open('a/b/c').read() + str(os.path.lexists('link')))")
        with serve(self.site) as port:
            base = "http://127.0.0.1:%d/" % port
            origin = self.host.load(base + "Sub.py")
            home = origin.home
            self.host.leave(origin)
            self.assertEqual(list(files.walk_below(home)), ["a/b/c"])
            origin = self.host.load(base + "Check.py")
            self.assertEqual(origin.page.text, "deepFalse")
            origin.page.clear()
            self.host.load(base + "Fill.py")
            self.assertEqual(origin.page.text, "No space left on device")
            self.host.leave(origin)
            size = sum(os.path.getsize(os.path.join(home, name)) for name in files.walk_below(home))
            self.assertLessEqual(size, self.host.quota)

    def test_cleanup_has_a_deadline(self):
        self.host.deadline = 2
        with open(os.path.join(self.site, "Stay.py"), "w") as file:
            file.write("import time\nclass Stay:\n    def __cleanup__(self):\n        time.sleep(100)\n")
        with serve(self.site) as port:
            origin = self.host.load("http://127.0.0.1:%d/Stay.py" % port)
            began = time.monotonic()
            self.host.leave(origin)
            self.assertLess(time.monotonic() - began, 20)

    def test_a_guest_that_lies_about_its_home(self):
        """What the host keeps has a bound in time, depth and number; the next visit works."""
        lie = ("import gc\n"
               "for table in gc.get_objects():\n"
               "    if type(table) is dict and {'list', 'read', 'cell'} <= set(table):\n"
               "        table['list'] = lambda top: %s\n"
               "        table['read'] = lambda path, most: %s")
        self.applet("Slow", lie % ("b''.join(b'%d\\x001\\0' % n for n in range(9))", "time.sleep(1) or b'x'"))
        self.applet("Deep", lie % ("b'x/' * 200 + b'f\\x001\\0'", "b'x'"))
        self.applet("Many", lie % ("b''.join(b'%d/f\\x000\\0' % n for n in range(20000))", "b''"))
        self.applet("Name", "open(b'\\xff', 'w').write('no text')")
        self.applet("Next", "page.write(str(sorted(os.listdir(b'.'))))")
        self.host.deadline = 3
        with serve(self.site) as port:
            base = "http://127.0.0.1:%d/" % port
            for name, kept in (("Slow", "[]"), ("Deep", "[]"), ("Name", "[b'\\xff']"), ("Many", None)):
                origin = self.host.load(base + name + ".py")
                began = time.monotonic()
                self.host.leave(origin)
                self.assertLess(time.monotonic() - began, 8, name)
                if kept is None:
                    self.assertLess(len(os.listdir(origin.home)), 5000)
                    continue
                origin = self.host.load(base + "Next.py")
                self.assertEqual(origin.page.text, kept, name)
                self.host.leave(origin)

    def test_what_a_server_may_not(self):
        """Lead to another one in our name, or take for ever."""
        asked = []

        class Evil(Quiet):
            def do_GET(self):
                asked.append(self.path)
                if self.path == "/Lead.py":
                    self.send_response(302)
                    self.send_header("Location", "http://127.0.0.1:%d/secret" % other)
                    self.end_headers()
                    return
                self.send_response(200)
                self.end_headers()
                with contextlib.suppress(OSError):
                    for _ in range(20):
                        self.wfile.write(b"#\n")
                        time.sleep(0.5)
        self.host.deadline = 2
        with serve(self.site, Evil) as port, serve(self.site, Evil) as other:
            base = "http://127.0.0.1:%d/" % port
            with self.assertRaisesRegex(AppletError, "leads to another origin"):
                self.host.load(base + "Lead.py")
            began = time.monotonic()
            with self.assertRaisesRegex(AppletError, "did not come within 2 seconds"):
                self.host.load(base + "Drip.py")
            self.assertLess(time.monotonic() - began, 6)
        self.assertEqual(asked, ["/Lead.py", "/Drip.py"])

    def test_policies_of_origins(self):
        for host, network in (
                ("2001:db8::1", {"allow": ["tcp://[2001:db8::1]:80"]}),
                ("a.example", {"allow": ["tcp://a.example:80"]}),
                ("localhost", {"host_loopback": ["tcp:80"]}), ("::1", {"host_loopback": ["tcp:80"]})):
            policy = policy_for(("http", host, 80), 1 << 20)
            self.assertEqual(policy["network"], network)
            Policy.parse(policy)

    def test_long_sources_and_pages(self):
        self.applet("Long", "page.write('\u20ac' * 60000)\n# " + "x" * 900000)
        self.applet("Over", "# " + "x" * (1 << 20))
        self.applet("Past", "page.clear()\npage.write('\u20ac' * (64 << 10))\npage.write('x')")
        with serve(self.site) as port:
            base = "http://127.0.0.1:%d/" % port
            self.assertEqual(self.host.load(base + "Long.py").page.text, "\u20ac" * 60000)
            with self.assertRaisesRegex(AppletError, "more than 1048576 bytes"):
                self.host.load(base + "Over.py")
            with self.assertRaisesRegex(GuestError, "the page is full"):
                self.host.load(base + "Past.py")

    def test_a_long_history_keeps_its_end(self):
        self.applet("Last", "page.clear()\npage.write('%d %s' % (len(history.list()), history.list()[-1]))")
        with serve(self.site) as port:
            url = "http://127.0.0.1:%d/Last.py" % port
            origin = self.host.load(url)
            origin.history.visits[:0] = ["http://127.0.0.1/" + "x" * 500] * 1000
            number, _, last = self.host.load(url).page.text.partition(" ")
            self.assertEqual(last, url)
            self.assertTrue(100 < int(number) < 200, number)

    def test_a_directory_may_become_a_file(self):
        self.applet("Tree", "os.makedirs('a/b')\nopen('a/b/c', 'w').write('deep')")
        self.applet("Flat", "import shutil\nshutil.rmtree('a')\nopen('a', 'w').write('flat')")
        with serve(self.site) as port:
            for name, kept in (("Tree", ["a/b/c"]), ("Flat", ["a"])):
                origin = self.host.load("http://127.0.0.1:%d/%s.py" % (port, name))
                self.host.leave(origin)
                self.assertEqual(list(files.walk_below(origin.home)), kept)
            self.assertEqual(len(os.listdir(self.homes)), 1)

    def test_an_origin_whose_sandbox_has_ended_gets_another(self):
        self.applet("End", "os._exit(3)")
        self.applet("Begin", "page.write('begun')")
        with serve(self.site) as port:
            base = "http://127.0.0.1:%d/" % port
            with self.assertRaises(EndedError):
                self.host.load(base + "End.py")
            self.assertEqual(self.host.load(base + "Begin.py").page.text, "begun")

    def test_failures_are_one_line(self):
        self.host.close()
        self.applet("End", "os._exit(3)")
        self.applet("Loop", "import signal\nwhile 1: pass")
        self.applet("Raise", "1 / 0")
        with open(os.path.join(self.site, "Latin.py"), "wb") as file:
            file.write(b"# \xe9\nclass Latin: pass\n")
        with socket.socket() as closed:
            closed.bind(("127.0.0.1", 0))
            nobody = "http://127.0.0.1:%d/X.py" % closed.getsockname()[1]
            with serve(self.site) as port:
                base = "http://127.0.0.1:%d/" % port
                for words, said in (
                        ([base + "End.py"], "ended with status 3"), ([base + "None.py"], "404"),
                        ([base + "Raise.py"], "ZeroDivisionError"), ([nobody], "refused"),
                        ([base + "Loop.py"], "10 seconds"), ([base + "Latin.py"], "not in UTF-8"),
                        ([base + "End.py", "x"], "write NAME=VALUE"),
                        (["http://127.0.0.1:x/X.py"], "no URL")):
                    with self.subTest(words):
                        done = subprocess.run(
                            [sys.executable, os.path.join(ROOT, "examples/applets/applets.py")] + words,
                            env=dict(os.environ, XDG_DATA_HOME=self.homes), capture_output=True, text=True)
                        self.assertEqual((done.returncode, done.stderr.count("\n")), (1, 1), done.stderr)
                        self.assertRegex(done.stderr, "^applets.py: .*" + said)

    def test_what_is_no_applet_is_refused(self):
        for url in (
                "ftp://127.0.0.1/X.py", "http://127.0.0.1/x.pyc", "http://127.0.0.1/", "file:///etc/X.py"):
            with self.assertRaises(AppletError, msg=url):
                self.host.load(url)

    def test_escapes_as_applets(self):
        victim = os.path.join(self.homes, "victim")
        with open(victim, "w") as file:
            file.write("precious")
        attempts = {
            "Open": "open(%r).read()" % victim,
            "Shell": "os.execv('/bin/sh', ['sh', '-c', 'id'])",
            "Native": "import ctypes\nlibc = ctypes.CDLL(None)\nassert libc.open(%r, 0) < 0\n"
                      "libc.kill(1, 9)\nlibc.ptrace(16, 1, 0, 0)\nraise OSError" % victim.encode(),
            "Classes": "[c for c in object.__subclasses__() if c.__name__ == 'catch_warnings'][0]()"
                       "._module.sys.modules['os'].execv('/bin/sh', ['sh'])",
            "Memory": "open('/proc/1/mem', 'rb+')",
            "Raw": "socket.socket(socket.AF_INET, socket.SOCK_RAW, 1)",
            "Netlink": "socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, 0)",
            "Page": "page.__class__.__init__.__globals__['sys'].exit() if 'sys' in"
                    " page._connection.__class__.__init__.__globals__ else page.title()",
        }
        for name, body in attempts.items():
            self.applet(name, body)
        with serve(self.site) as port:
            for name in attempts:
                with self.subTest(name):
                    with self.assertRaises(SandboxError):
                        origin = self.host.load("http://127.0.0.1:%d/%s.py" % (port, name))
                        self.fail("%s was run: %s" % (name, origin.page.text))
                    for origin in list(self.host.origins.values()):
                        self.host.leave(origin)
        with open(victim) as file:
            self.assertEqual(file.read(), "precious")


if __name__ == "__main__":
    unittest.main()
