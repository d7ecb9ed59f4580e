"""What the package tells the host's operator: limits that the host holds less well
than it was asked, and mistakes by the names that the host's code has for things.
"""
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

from pysandbox import Policy, PolicyError, Sandbox, SetupError

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
                ("narrow(memory): 1024 bytes is too low", lambda: strict.narrow(memory="1k")),
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


if __name__ == "__main__":
    unittest.main()
