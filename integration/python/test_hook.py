"""The audit hook: a denied operation is refused in a sentence that says which rule
and what would allow it, and its place in the program is told. Without the hook the
same operations fail in the same way, in the kernel's words.
"""
import json
import os
import subprocess
import tempfile
import unittest

from pysandbox import Sandbox
from support import GUESTS, Case

BINARY = os.environ.get("PYSANDBOX_BINARY", "")

# What the policy denies, and words that its refusal must have. The directory
# /usr/lib is shown by no closure as a whole, and / never is.
DENIED = [
    ("open('/root/data.csv')", ["files.read", "--allow-read=/root/data.csv"]),
    ("open(b'/srv/x', 'rb')", ["files.read", "--allow-read=/srv/x"]),
    ("open('/srv/x', 'w')", ["files.write", "--allow-write=/srv where you may write"]),
    ("open('/srv/x/y', 'w')", ["files.write", "--allow-write=/srv/x where you may write"]),
    ("subprocess.run(['/bin/ls'])", ["process.spawn", "--allow-spawn=/bin/ls"]),
    ("subprocess.run(['ls'])", ["process.spawn", "--allow-spawn=", "/ls"]),
    ("os.posix_spawn('/bin/ls', ['ls'], {})", ["process.spawn", "--allow-spawn=/bin/ls"]),
    ("os.execv('/bin/ls', ['ls'])", ["process.spawn", "--allow-spawn=/bin/ls"]),
    ("socket.socket().connect(('203.0.113.9', 443))", [
        "network.default", "--allow-net=tcp://203.0.113.9:443 unless the host has that address"]),
    ("socket.create_connection(('2001:db8::9', 443))", [
        "network.default", "--allow-net=tcp://[2001:db8::9]:443"]),
    ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('203.0.113.9', 53))", [
        "network.default", "--allow-net=udp://203.0.113.9:53"]),
    ("socket.getaddrinfo('www.example.net', 80)", ["network.default", "--allow-net=www.example.net"]),
    ("socket.gethostbyname('www.example.net')", ["network.default", "--allow-net=www.example.net"]),
    ("__import__('this')", ["python.modules.deny = ['this']"]),
]
# What no flag allows: a hint would not be true.
HOPELESS = [
    "os.open('/new', os.O_WRONLY | os.O_CREAT)", "open('/etc/new', 'w')", "open('/etc/ssl/new', 'w')",
    "open('/usr/lib/new', 'w')", "open('/usr/new', 'w')", "open('/home/new', 'w')",
    "open(os.__file__, 'a')", "open(os.path.dirname(os.path.realpath(sys.executable)) + '/x', 'w')",
    "subprocess.run(['/tmp/program'])",
    "socket.socket().connect(('169.254.169.254', 80))", "socket.socket().connect(('224.0.0.1', 80))",
    "socket.create_connection(('fd00:ec2::254', 80))",
]
# What the policy says nothing against, or has no sentence for.
LEFT_ALONE = [
    "open('/tmp/missing')", "open('/dev/null', 'w').close()", "open('/tmp/new', 'w').close()",
    "subprocess.run(['no-such-program'])", "subprocess.run(['/usr/bin/no-such-program'])",
    "subprocess.run([sys.executable, '-c', 'pass'], check=True)",
    "socket.socket().connect(('127.0.0.1', 9))", "socket.getaddrinfo('127.0.0.1', 80)",
    "socket.getaddrinfo('localhost', 80)", "__import__('no_such_module')",
    "open('/proc/self/missing')", "os.listdir('/srv')",
    "{}[socket.socket().connect_ex(('203.0.113.9', 443))]",  # a KeyError with the number
]
# What a program may do to imports, from here on.
CHANGED_IMPORTS = [
    "", "sys.meta_path.clear()", "sys.modules['builtins'].__import__ = None",
    "for name in [name for name in sys.modules if name.startswith('pysandbox')]: del sys.modules[name]",
]
PROBE = """
import json, os, socket, subprocess, sys
%s
found = []
for text in json.loads(sys.argv[1]):
    try:
        eval(text)
        found.append(["", 0, ""])
    except BaseException as problem:
        found.append([type(problem).__name__, getattr(problem, "errno", None), str(problem)])
print(json.dumps(found))
"""
# What hostile code does to the hook: the frame of the hook is in the traceback of
# what it raises, and its tables are there.
REMOVE = """
try:
    socket.socket().connect(("203.0.113.9", 443))
except PermissionError as problem:
    trace = problem.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
        trace.tb_frame.f_locals.get("judges", {}).clear()
builtins = sys.modules["builtins"]
sys.meta_path[:] = [f for f in sys.meta_path if type(f).__module__ != "pysandbox_guest._rules"]
"""


class Words(unittest.TestCase):
    def run_probe(self, path, texts, prepare=""):
        """For each text the name, the errno and the words of what it raises; and the
        violations of the run."""
        with tempfile.TemporaryDirectory() as top:
            policy, report = os.path.join(top, "policy.json"), os.path.join(top, "report.json")
            with open(policy, "w") as file:
                json.dump(
                    {"version": 1, "extends": "strict", "python": {"modules": {"deny": ["this"]}}}, file)
            done = subprocess.run(
                [BINARY, "exec", "--quiet", "--policy", policy, "--report", report, "--python", path,
                 "-c", PROBE % prepare, json.dumps(texts)], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            with open(report) as file:
                return json.loads(done.stdout), json.load(file)["violations"]

    def test_each_refusal_names_rule_and_remedy(self):
        for path in GUESTS:
            with self.subTest(path):
                found, violations = self.run_probe(path, [text for text, _ in DENIED])
                for (text, words), (name, _, said) in zip(DENIED, found):
                    self.assertTrue(name, text)
                    for word in words:
                        self.assertIn(word, said, text)
                for violation in violations:
                    self.assertEqual(violation["hint"] != "", violation["operation"] != "socket", violation)
                    self.assertIn("<string>:1", violation["where"], violation)

    def test_a_program_that_has_changed_imports_is_told_of(self):
        for path in GUESTS:
            for change in CHANGED_IMPORTS:
                with self.subTest(path, change=change):
                    (found,), violations = self.run_probe(
                        path, ["socket.socket().connect(('203.0.113.9', 443))"], change)
                    self.assertEqual(found[0], "PermissionError")
                    self.assertEqual(
                        [(v["target"], v["where"], v["source"]) for v in violations],
                        [("tcp://203.0.113.9:443", "<string>:1", "guest")])

    def test_what_no_flag_allows_has_no_hint(self):
        for path in GUESTS:
            with self.subTest(path):
                program = "open('/tmp/program', 'w').write('#!/bin/sh'); os.chmod('/tmp/program', 0o755)"
                found, violations = self.run_probe(path, HOPELESS, program)
                for text, (name, _, said) in zip(HOPELESS, found):
                    self.assertTrue(name, text)
                    self.assertNotIn("allow it", said, text)
                self.assertEqual([v for v in violations if v["hint"]], [])

    def test_hints_for_writing_are_refused_to_nobody(self):
        """What a hint names is refused only for what is no business of the program's: whom
        the directory belongs to, and whether it is there."""
        for text in ("open('/srv/x', 'w')", "open('/opt/y/x', 'w')", "open('/var/lib/x', 'w')"):
            (_, _, said), = self.run_probe(GUESTS[0], [text])[0]
            flag = said.split("allow it with ")[1].split()[0]
            done = subprocess.run([BINARY, "exec", flag, "-c", ""], capture_output=True, text=True)
            for line in done.stderr.splitlines():
                self.assertRegex(line, "belongs to root|does not exist|may not be read and written|hint:")

    def test_without_the_hook_only_the_words_differ(self):
        texts = [text for text, _ in DENIED]
        for path in GUESTS:
            with self.subTest(path):
                hooked, _ = self.run_probe(path, texts)
                bare, _ = self.run_probe(path, texts, REMOVE)
                for text, (name, number, said), (bare_name, bare_number, bare_said) in zip(
                        texts, hooked, bare):
                    self.assertEqual((name, number), (bare_name, bare_number), (text, said, bare_said))
                    self.assertNotIn("allow it with", bare_said, text)

    def test_what_is_not_denied_is_as_without_the_hook(self):
        for path in GUESTS:
            with self.subTest(path):
                self.assertEqual(
                    self.run_probe(path, LEFT_ALONE)[0], self.run_probe(path, LEFT_ALONE, REMOVE)[0])

    def test_an_allowed_port_is_left_to_the_kernel(self):
        with Sandbox("http-only") as sb:
            sb.exec("import socket\ndef why(port):\n"
                    "    try: socket.socket().connect(('10.0.0.9', port))\n"
                    "    except OSError as problem: return str(problem)")
            self.assertIn("--allow-net=tcp://10.0.0.9:443", sb.eval("why(443)"))
            self.assertEqual(sb.eval("why(80)"), "[Errno 13] Permission denied")


SOURCE = """import socket
def go():
    try: socket.socket().connect(('203.0.113.9', 443))
    except PermissionError: pass
class Client:
    def fetch(self): go2(self)
def go2(client):
    import http.client
    try: http.client.HTTPConnection('203.0.113.9', 443).connect()
    except PermissionError: pass
"""
PLACES = {  # program after SOURCE: where the connection was asked for
    "go()": "<string>:3 in go",
    "try: socket.create_connection(('203.0.113.9', 443))\nexcept OSError: pass": "<string>:11",
    "Client().fetch()": "<string>:9 in go2",
    "(lambda: go())()": "<string>:3 in go",
    "import threading\nt = threading.Thread(target=go)\nt.start(); t.join()": "<string>:3 in go",
    "from concurrent.futures import ThreadPoolExecutor\nThreadPoolExecutor(1).submit(go).result()":
        "<string>:3 in go",
    "import asyncio\nasync def main(): go()\nasyncio.new_event_loop().run_until_complete(main())":
        "<string>:3 in go",
    "import asyncio\nasync def main():\n    try: await asyncio.open_connection('203.0.113.9', 443)\n"
    "    except OSError: pass\nasyncio.new_event_loop().run_until_complete(main())": "<string>:13 in main",
    "import asyncio\nasync def one():\n    try: await asyncio.open_connection('203.0.113.9', 443)\n"
    "    except OSError: pass\nasync def main(): await asyncio.gather(one(), one())\n"
    "asyncio.new_event_loop().run_until_complete(main())": "<string>:13 in one",
    "import asyncio\nasync def main():\n    await asyncio.get_event_loop().run_in_executor(None, go)\n"
    "asyncio.new_event_loop().run_until_complete(main())": "<string>:3 in go",
}


class Places(Case):
    def test_places_of_violations(self):
        for path in GUESTS:
            with Sandbox(python=path) as sb:
                for program, where in PLACES.items():
                    with self.subTest(path, program=program):
                        result = sb.start(SOURCE + program).wait(60)
                        self.assertEqual(
                            {(v.operation, v.target, v.where, v.source) for v in result.violations},
                            {("connect", "tcp://203.0.113.9:443", where, "guest")}, result.stderr)

    def test_methods_have_their_qualified_names(self):
        result = self.sb.start(
            "import socket\nclass Client:\n    def fetch(self):\n"
            "        socket.socket().connect(('203.0.113.9', 443))\nClient().fetch()").wait(60)
        self.assertRegex(result.violations[0].where, r"^<string>:4 in (Client\.)?fetch$")

    def test_what_the_kernel_denies_has_its_place_too(self):
        with Sandbox({"extends": "strict", "network": {"allow": ["tcp://203.0.113.1:443"]}}) as sb:
            result = sb.start(SOURCE + "go()").wait(60)
        self.assertEqual(
            [(v.where, v.rule) for v in result.violations], [("<string>:3 in go", "network.default")])


if __name__ == "__main__":
    unittest.main()
