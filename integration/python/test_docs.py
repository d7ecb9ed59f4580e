"""The documentation of the Python side: its code runs, and the reference is what
the docstrings say. PYSANDBOX_UPDATE=1 writes the reference again.
"""
import inspect
import os
import re
import unittest

import pysandbox
import pysandbox.bastion
import pysandbox.files
import pysandbox.rexec
from support import ROOT

DOCS = os.path.join(ROOT, "docs", "python")


def blocks(page):
    with open(os.path.join(DOCS, page)) as file:
        return re.findall(r"(?ms)^```python\n(.*?)^```", file.read())


class Code(unittest.TestCase):
    def run_blocks(self, page):
        names = {"__name__": "tutorial"}
        found = blocks(page)
        self.assertTrue(found)
        for number, block in enumerate(found):
            with self.subTest(block=number):
                exec(compile(block, "%s block %d" % (page, number), "exec"), names)

    def test_blocks_of_the_tutorial(self):
        self.run_blocks("tutorial.md")

    def test_blocks_of_from_rexec(self):
        self.run_blocks("from-rexec.md")


def describe(name, thing, level):
    lines = ["%s `%s`" % ("#" * level, name + signature(thing)), "", inspect.getdoc(thing) or "", ""]
    if inspect.isclass(thing):
        for key, member in members(thing).items():
            function = getattr(member, "__func__", member)
            if key[:1] != "_" and inspect.isfunction(function) and inspect.getdoc(function):
                lines += describe(name + "." + key, function, level + 1)
            elif key[:1] != "_" and isinstance(member, property) and inspect.getdoc(member):
                lines += ["%s `%s.%s`" % ("#" * (level + 1), name, key), "", inspect.getdoc(member), ""]
    return lines


def members(kind):
    """What a class of ours defines, or another of ours that it is made of."""
    found = {}
    for base in kind.__mro__:
        if base is kind or base.__module__ == "pysandbox.guestfiles":
            found.update((key, member) for key, member in vars(base).items() if key not in found)
    return found


def signature(thing):
    if not inspect.isfunction(thing):
        return ""
    names = []
    for parameter in inspect.signature(thing).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind == parameter.KEYWORD_ONLY and "*" not in names and not any(
                n[:1] == "*" for n in names):
            names.append("*")
        star = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        default = "" if parameter.default is parameter.empty or star else "=..."
        names.append(star + parameter.name + default)
    return "(%s)" % ", ".join(names)


def reference():
    lines = ["# Reference of the Python packages", "",
             "Written from the docstrings by integration/python/test_docs.py.", ""]
    for module, names in ((pysandbox, pysandbox.__all__), (pysandbox.bastion, ["Bastion", "BastionClass"]),
                          (pysandbox.rexec, ["RExec", "RHooks", "Module"]),
                          (pysandbox.files, ["read_below", "write_below", "walk_below", "replace"])):
        lines += ["## %s" % module.__name__, "", inspect.getdoc(module), ""]
        for name in names:
            thing = getattr(module, name)
            if inspect.isclass(thing) or inspect.isfunction(thing):
                lines += describe(name, thing, 3)
    return re.sub(
        r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in "\n".join(lines).split("\n"))).strip() + "\n"


class Reference(unittest.TestCase):
    def test_reference_is_current(self):
        path, text = os.path.join(DOCS, "reference.md"), reference()
        if os.environ.get("PYSANDBOX_UPDATE"):
            with open(path, "w") as file:
                file.write(text)
        with open(path) as file:
            self.assertEqual(file.read(), text, "run it again with PYSANDBOX_UPDATE=1")

    def test_the_two_ends_share_their_files(self):
        top = os.path.join(ROOT, "cpython-shim", "python")
        for name in ("codec", "tables"):
            with open(os.path.join(top, "pysandbox", name + ".py")) as host, \
                    open(os.path.join(top, "pysandbox_guest", "_%s.py" % name)) as guest:
                self.assertEqual(host.read(), guest.read(), name)


if __name__ == "__main__":
    unittest.main()
