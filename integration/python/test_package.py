"""The wheel that the build backend makes, and how the package is written."""
import ast
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
import zipfile
from email import message_from_bytes

from support import ROOT

HERE = os.path.join(ROOT, "cpython-shim", "python")


def backend():
    spec = importlib.util.spec_from_file_location("backend", os.path.join(HERE, "_build", "backend.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Wheel(unittest.TestCase):
    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.path = os.path.join(directory.name, backend().build_wheel(directory.name))

    def test_metadata(self):
        with zipfile.ZipFile(self.path) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            fields = message_from_bytes(wheel.read(name))
        self.assertEqual((fields["Name"], fields["License"], fields["Author"], fields["Requires-Python"]),
                         ("pysandbox", "Apache-2.0", "The pysandbox authors", ">=3.9"))
        self.assertEqual(fields["Project-URL"], "Source, https://github.com/pysandbox/pysandbox")
        self.assertIn("pysandbox-%s-py3" % fields["Version"], os.path.basename(self.path))

    def test_the_package_in_it_works(self):
        code = "import pysandbox; print(pysandbox.__file__, pysandbox.Sandbox().eval('6 * 7'))"
        env = dict(os.environ, PYTHONPATH=self.path)
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(done.stdout, self.path + "/pysandbox/__init__.py 42\n")


class Annotations(unittest.TestCase):
    def test_none_is_quoted(self):
        """What is in quotes is no type to a reader at once, and needs none where
        annotations are not evaluated."""
        top = os.path.join(HERE, "pysandbox")
        for file in sorted(os.listdir(top)):
            with open(os.path.join(top, file), "rb") as opened:
                source = opened.read() if file.endswith(".py") else b""
            if b"from __future__ import annotations" in source:  # the guest's own files have none
                quoted = [part.lineno for note in annotations(ast.parse(source)) for part in ast.walk(note)
                          if isinstance(part, ast.Constant) and isinstance(part.value, str)]
                self.assertEqual(quoted, [], file)


def annotations(tree):
    for node in ast.walk(tree):
        found = [getattr(node, "annotation", None), getattr(node, "returns", None)]
        yield from (one for one in found if one is not None)


if __name__ == "__main__":
    unittest.main()
