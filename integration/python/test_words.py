"""What the package tells the host's operator: limits that the host holds less well
than it was asked, and mistakes under the names that the host's code has for things.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from pysandbox import GuestError, Policy, PolicyError, Sandbox, SetupError
from support import Case

# A hard limit of the caller's own stands for what a host may lack.
LACKS = """
import json, logging, resource, sys
from pysandbox import Policy, Sandbox
resource.setrlimit(resource.RLIMIT_FSIZE, (16 << 20, 16 << 20))
logging.basicConfig(format="%(name)s: %(message)s")
policy = eval(sys.argv[1])
print("sandboxes", file=sys.stderr, flush=True)
for _ in range(2):
    Sandbox(policy).close()
"""
LESS = ("the caller's own hard limit of 16777216 (RLIMIT_FSIZE) is lower than the policy's 33554432 "
        "and stays")


# Under each limit of its own, a host's process has a sandbox or knows why it has none.
OWN = """
import gc, os, resource, sys
from pysandbox import Sandbox, SetupError
name, values, policies = eval(sys.argv[1])
which = getattr(resource, name)
soft, hard = resource.getrlimit(which)
with Sandbox() as sb:  # what it imports is there
    sb.eval("1")
for policy in policies:
    for value in values:
        before = os.listdir("/proc/self/fd")
        resource.setrlimit(which, (value, hard))
        try:
            with Sandbox(policy) as sb:
                outcome = str(sb.eval("1 + 1"))
        except SetupError as problem:
            outcome = str(problem)
        resource.setrlimit(which, (soft, hard))
        gc.collect()
        if outcome != "2" and name not in outcome or os.listdir("/proc/self/fd") != before:
            sys.exit("%d: %s, %s" % (value, outcome, os.listdir("/proc/self/fd")))
    print(outcome)
"""


class OwnLimits(unittest.TestCase):
    def outcomes(self, name, values, policies):
        """Those under the last of values."""
        done = subprocess.run([sys.executable, "-c", OWN, repr((name, values, policies))],
                              capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.splitlines()

    def test_too_few_open_files_are_told_as_such(self):
        self.assertEqual(self.outcomes("RLIMIT_NOFILE", [*range(6, 30, 2), 64], ["strict"]), ["2"])

    def test_a_limit_on_the_size_of_a_file_is_told_as_such(self):
        policies = ["strict", {"extends": "strict", "limits": {"pids": 9}}]
        few = self.outcomes("RLIMIT_FSIZE", [0, 16], policies[1:])
        self.assertEqual(few, ["a file of this process may not be as large as what its sandbox gets "
                               "(RLIMIT_FSIZE); raise that, as with ulimit -f unlimited"])
        done = subprocess.run(
            ["bash", "-c", 'ulimit -f 1024; exec "$@"', "-", sys.executable, "-c",
             OWN.replace('sb.eval("1")', "pass"), repr(("RLIMIT_FSIZE", [1 << 20], policies))],
            capture_output=True, text=True)
        self.assertEqual(done.stdout.splitlines(), [
            "size an area for data: the caller's own limit on the size of a file (RLIMIT_FSIZE) is below "
            "its 67108864 bytes; raise it, as with ulimit -f 65536"] * 2)

    def test_a_policy_is_not_to_blame(self):
        done = subprocess.run(
            ["bash", "-c", 'ulimit -n 64; exec "$@"', "-", sys.executable, "-c", "import pysandbox\n"
             "try:\n  pysandbox.Policy.preset('strict').narrow(pids=9)\n"
             "except pysandbox.SetupError as problem:\n  print(problem)"], capture_output=True, text=True)
        self.assertIn("only 64 files may be open at once (RLIMIT_NOFILE)", done.stdout, done.stderr)


class Limits(unittest.TestCase):
    def logged(self, policy):
        """The lines of the log before a sandbox is made, and those of two."""
        done = subprocess.run([sys.executable, "-c", LACKS, policy], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        before, _, after = done.stderr.partition("sandboxes\n")
        return before.splitlines(), after.splitlines()

    def test_what_is_held_less_well_is_logged_once_for_each_sandbox(self):
        with tempfile.TemporaryDirectory() as top:
            file = os.path.join(top, "job.toml")
            Path(file).write_text('version = 1\nextends = "strict"\n[limits]\nfile_size = "32MiB"\n')
            for policy, place in (
                    ('Policy.preset("strict").narrow(file_size="32MiB")', "narrow(file_size)"),
                    ('{"extends": "strict", "limits": {"file_size": "32MiB"}}', "policy: limits.file_size"),
                    ("Policy.load(%r)" % file, file + ":4:13: limits.file_size")):
                with self.subTest(policy):
                    self.assertEqual(self.logged(policy), ([], ["pysandbox: %s: %s" % (place, LESS)] * 2))

    def test_the_words_are_those_of_exec(self):
        done = subprocess.run(
            ["bash", "-c", 'ulimit -f 16384; exec "$PYSANDBOX_BINARY" exec --file-size=32MiB -c ""'],
            capture_output=True, text=True)
        self.assertEqual(done.stderr, "pysandbox: warning: --file-size: %s\n" % LESS)

    def test_without_a_control_group_memory_is_logged(self):
        program = "\n".join(line for line in LACKS.split("\n") if "setrlimit" not in line)
        done = subprocess.run(
            [sys.executable, "-c", program + "sb = Sandbox(policy)\nsb.exec('')\nsb.close()\n"
             "print(sb.report.layers.cgroup)", 'Policy.preset("strict").narrow(memory="128MiB")'],
            capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual("narrow(memory): no control group limits memory" in done.stderr,
                         done.stdout == "none\n", done.stderr + done.stdout)

    def test_of_a_preset_nobody_asked_for_anything(self):
        for policy in ('"strict"', 'Policy.preset("strict").narrow(wall=1)'):
            self.assertEqual(self.logged(policy), ([], []))


class Names(unittest.TestCase):
    def test_mistakes_in_a_policy_name_what_was_called(self):
        strict = Policy.preset("strict")
        for words, call in (
                ("Policy.load(): read /nothere.toml: no such file", lambda: Policy.load("/nothere.toml")),
                ("narrow(memory): 1KiB is too low", lambda: strict.narrow(memory="1k")),
                ("narrow(deny_net): ", lambda: strict.narrow(deny_net="nonsense:::"))):
            with self.assertRaises(PolicyError) as caught:
                call()
            self.assertTrue(str(caught.exception).startswith(words), caught.exception)

    def test_mistakes_of_a_sandbox_name_its_parameters(self):
        for name, value in (("cwd", "/nothere"), ("cwd", ""), ("python", "/nothere"),
                            ("env", {"LD_PRELOAD": "x.so"})):
            with Sandbox(**{name: value}) as sb, self.assertRaises(SetupError) as caught:
                sb.exec("pass")
            self.assertTrue(str(caught.exception).startswith(name + ": "), caught.exception)


class Mistakes(Case):
    """Values that cannot cross, and arguments of a wrong type."""

    def test_what_is_no_plain_data_is_an_ordinary_error_of_the_guest(self):
        for expression, name in (
                ("object()", "TypeError"), ("{1}", "TypeError"), ("[1j]", "TypeError"),
                ("{1: 2}", "TypeError"), ("2**64", "OverflowError"), ("-2**63 - 1", "OverflowError"),
                ("'\\ud800'", "ValueError"),
                ("eval('[' * 40 + ']' * 40)", "ValueError"), ("'x' * (65 << 20)", "TooLargeError")):
            with self.subTest(expression), self.assertRaises(GuestError) as caught:
                self.sb.eval(expression)
            self.assertEqual(caught.exception.type_name, name)
        self.assertEqual(self.sb.eval("[2**64 - 1, -2**63]"), [2**64 - 1, -2**63])

    def test_arguments_of_a_wrong_type_are_the_hosts_mistake(self):
        sb = self.sb
        for call in (
                lambda: sb.exec(5), lambda: sb.eval(5), lambda: sb.exec("1", filename=5),
                lambda: sb.run_file(5),
                lambda: sb.run_module(5), lambda: sb.start(5), lambda: sb.start(module=5),
                lambda: sb.write_file("/tmp/x", "text"), lambda: sb.write_file(5, b""),
                lambda: sb.write_file("/tmp/x", b"", "r"), lambda: sb.read_file(None),
                lambda: sb.read_file("/tmp/x", "1"), lambda: sb.list_files(5),
                lambda: sb.copy_in(__file__, 5)):
            with self.assertRaises(TypeError):
                call()

    def test_paths_inside_may_be_path_objects(self):
        self.sb.write_file(Path("/tmp/x"), bytearray(b"1"))
        self.assertEqual(self.sb.read_file(Path("/tmp/x")), b"1")
        self.assertEqual(self.sb.list_files(Path("/tmp")), {"x": 1})

    def test_relative_paths_are_the_guests(self):
        self.sb.exec("import os; os.chdir('/tmp')")
        self.sb.write_file("x", b"1")
        self.assertEqual(self.sb.eval("open('/tmp/x').read()"), "1")


class Starts(Case):
    def test_what_start_is_given(self):
        for argv in ("abc", b"abc"):
            for ask in (lambda: self.sb.start("1", argv=argv), lambda: self.sb.run_module("json", argv)):
                with self.assertRaisesRegex(TypeError, "argv=.*: it is a list of words"):
                    ask()
        with self.assertRaisesRegex(ValueError, "argv: 'a.x00' has a zero byte"):
            self.sb.start("1", argv=["a\0"])
        for timeout in (0, -1, float("nan")):
            with self.assertRaisesRegex(PolicyError, r"start\(timeout=%r\)" % timeout):
                self.sb.start("1", timeout=timeout)
        self.assertEqual(self.sb.start("print(1)", timeout=float("inf")).wait().stdout, b"1\n")

    def test_a_source_with_a_zero_byte_is_the_programs_mistake(self):
        result = self.sb.start("print(1)\0").wait()
        self.assertEqual(result.exit_code, 1)
        self.assertIn(b"null bytes", result.stderr)


if __name__ == "__main__":
    unittest.main()
