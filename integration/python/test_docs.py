"""The documentation of the Python side: its code runs, and the reference is what
the docstrings say. PYSANDBOX_UPDATE=1 writes the reference again.
"""
import dataclasses
import inspect
import os
import re
import textwrap
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


# The classes for asyncio have the methods of others, whose words are not repeated.
SYNC = {"AsyncSandbox": pysandbox.Sandbox, "AsyncRun": pysandbox.Run}


def describe(name, thing, level):
    """The lines of a class with what it defines, of a function, or of a schema."""
    lines = heading(name, level)
    if name in MADE:
        lines += code(name, SYNC.get(name, thing).__init__, result="")
    elif inspect.isfunction(thing):
        lines += code(name, thing)
    lines += [inspect.getdoc(thing) or inspect.getdoc(type(thing)), ""]
    if dataclasses.is_dataclass(thing):
        lines += ["| field | type | default |", "|---|---|---|"]
        lines += ["| `%s` | `%s` | %s |" % (field.name, typed(field.type), default(field))
                  for field in dataclasses.fields(thing)] + [""]
    if inspect.isclass(thing):
        for key, member in members(thing).items():
            if key[:1] != "_" or key == "__call__":
                lines += describe_member(thing, name, key, member, level + 1)
    return lines


def describe_member(owner, name, key, member, level):
    function = getattr(member, "__func__", member)
    original = getattr(SYNC.get(owner.__name__), key, None)
    if isinstance(member, property):
        kind = typed(inspect.signature(member.fget).return_annotation)
        text = inspect.getdoc(member) or "See `%s.%s`." % (SYNC[owner.__name__].__name__, key)
        return heading(name + "." + key, level) + ["```", "%s: %s" % (key, kind), "```", "", text, ""]
    if not inspect.isfunction(function):
        return []
    text = inspect.getdoc(function)
    if text is None and original is None:
        return []  # of rexec, where from-rexec.md says it
    before = "await " if inspect.iscoroutinefunction(function) else ""
    result = typed(inspect.signature(function).return_annotation)
    shown = original if text is None else function
    return heading(name + "." + key, level) + code(key, shown, before, result) + [
        text or "See `%s.%s`." % (SYNC[owner.__name__].__name__, key), ""]


def heading(name, level):
    return ["%s `%s`" % ("#" * level, name), ""]


# Classes that callers make; of all others the package does.
MADE = ("AsyncSandbox", "Bastion", "RExec", "RHooks", "Sandbox", "reference")


def code(name, function, before="", result=None):
    """A signature, with types and defaults."""
    words, star = [], False
    for parameter in inspect.signature(function).parameters.values():
        if parameter.name in ("self", "cls"):
            continue
        if parameter.kind == parameter.KEYWORD_ONLY and not star:
            words.append("*")
        star = star or parameter.kind in (parameter.KEYWORD_ONLY, parameter.VAR_POSITIONAL)
        mark = {parameter.VAR_POSITIONAL: "*", parameter.VAR_KEYWORD: "**"}.get(parameter.kind, "")
        word = mark + parameter.name
        if parameter.annotation is not parameter.empty:
            word += ": " + typed(parameter.annotation)
        if parameter.default is not parameter.empty:
            word += " = " + shown_default(parameter.default)
        words.append(word)
    if result is None:
        result = typed(inspect.signature(function).return_annotation)
    text = "%s%s(%s)" % (before, name, ", ".join(words))
    if name.rpartition(".")[2][:1].islower() and result:
        text += " -> " + result
    return ["```"] + textwrap.wrap(text, 92, subsequent_indent="    ", break_long_words=False) + ["```", ""]


def typed(annotation):
    """An annotation as it is written, without quotes."""
    if annotation is inspect.Signature.empty:
        return ""
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    return re.sub(r"[\"']|\b(typing|pysandbox\.results)\.", "", text)


def shown_default(value):
    return '"%s"' % value if isinstance(value, str) else "%#o" % value if value == 0o644 else repr(value)


def default(field):
    if dataclasses.is_dataclass(field.default):
        return "`%s()`" % type(field.default).__name__
    if field.default is not dataclasses.MISSING:
        return "`%s`" % shown_default(field.default)
    return "`{}`" if field.default_factory is not dataclasses.MISSING else ""


def members(kind):
    """What a class of ours defines, or another of ours that it is made of."""
    found = {}
    for base in kind.__mro__:
        if base is kind or base.__module__ == "pysandbox.guestfiles":
            found.update((key, member) for key, member in vars(base).items() if key not in found)
    return found


def reference():
    lines = ["# Reference of the Python packages", "",
             "Written from the docstrings by integration/python/test_docs.py.", "",
             "In signatures `PolicyLike` is what `Sandbox` takes as a policy, `Path` is a `str` or an",
             "object with a path such as a `pathlib.Path`, `Value` is an `int`, a `float` or a `str`,",
             "`Schema` is what `expose` takes as one, and a time is in seconds. What has `await` before",
             "its name is awaited; nothing else is.", ""]
    for module, names in ((pysandbox, pysandbox.__all__), (pysandbox.bastion, ["Bastion", "BastionClass"]),
                          (pysandbox.rexec, ["RExec", "RHooks", "Module"]),
                          (pysandbox.files, ["read_below", "write_below", "walk_below", "replace"])):
        lines += ["## %s" % module.__name__, "", inspect.getdoc(module), ""]
        for name in names:
            thing = getattr(module, name)
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

    def test_everything_public_is_said(self):
        for name in pysandbox.__all__:
            thing = getattr(pysandbox, name)
            text = inspect.getdoc(thing) or ""
            self.assertTrue(text, name)
            for field in dataclasses.fields(thing) if dataclasses.is_dataclass(thing) else ():
                self.assertRegex(text, r"\b%s\b" % field.name, name)
            for key, member in members(thing).items() if inspect.isclass(thing) else ():
                if key[:1] != "_" and (inspect.isroutine(member) or isinstance(member, property)):
                    said = inspect.getdoc(member) or getattr(SYNC.get(name), key, None)
                    self.assertTrue(said, name + "." + key)
        for name, parameters in (("Sandbox", "policy python env cwd deadline"),):
            for parameter in parameters.split():
                self.assertRegex(inspect.getdoc(getattr(pysandbox, name)), r"\b%s\b" % parameter)

    def test_the_classes_for_asyncio_have_what_the_others_have(self):
        for name, kind in SYNC.items():
            self.assertEqual(
                {key for key in members(getattr(pysandbox, name)) if key[:1] != "_"},
                {key for key in members(kind) if key[:1] != "_"} | set(
                    () if name == "AsyncSandbox" else ("stdout", "stderr")))

    def test_the_two_ends_share_their_files(self):
        top = os.path.join(ROOT, "cpython-shim", "python")
        for name in ("codec", "tables"):
            with open(os.path.join(top, "pysandbox", name + ".py")) as host, \
                    open(os.path.join(top, "pysandbox_guest", "_%s.py" % name)) as guest:
                self.assertEqual(host.read(), guest.read(), name)


if __name__ == "__main__":
    unittest.main()
