"""Modules of the library that are used, not only imported, with nothing allowed but
their own names."""
import json
import os
import subprocess
import tempfile
import unittest
from concurrent.futures import ThreadPoolExecutor

from support import GUESTS, HERE

BINARY = os.environ.get("PYSANDBOX_BINARY", "")


def uses():
    """What is imported, the first minor version that has it, and the code that uses it."""
    with open(os.path.join(HERE, "testdata/uses.txt"), encoding="utf-8") as file:
        for part in file.read().split("\n== 3.")[1:]:
            head, _, code = part.partition("\n")
            since, _, imports = head.partition(" ")
            yield imports, int(since), code


class Uses(unittest.TestCase):
    def run_it(self, path, modules, code):
        with tempfile.NamedTemporaryFile("w", suffix=".json") as file:
            json.dump({"version": 1, "extends": "strict", "python": {"modules": modules}}, file)
            file.flush()
            return subprocess.run([BINARY, "exec", "--policy", file.name, "--python", path, "-c", code],
                                  capture_output=True, text=True)

    def test_what_allowed_modules_import_comes_with_them(self):
        def use(path, imports, code):
            code = "import %s\n%s\nprint('done')" % (imports, code)
            done = self.run_it(path, {"allow": imports.split(", ")}, code)
            return "" if done.stdout.endswith("done\n") else done.stdout + done.stderr

        for path in GUESTS:
            minor = int(subprocess.run([path, "-c", "import sys; print(sys.version_info[1])"],
                                       capture_output=True, check=True).stdout)
            with ThreadPoolExecutor(2) as pool:
                told = [(imports, pool.submit(use, path, imports, code))
                        for imports, since, code in uses() if minor >= since]
            for imports, problem in told:
                with self.subTest(path, imports=imports):
                    self.assertEqual(problem.result(), "")


if __name__ == "__main__":
    unittest.main()
