"""Finds the pysandbox binary."""
from __future__ import annotations

import os
from errno import EMFILE

from .errors import SetupError, of_limit

VARIABLE = "PYSANDBOX_BINARY"


def find() -> str:
    """The path of the binary: what PYSANDBOX_BINARY names, or the first
    pysandbox on PATH. SetupError if there is none."""
    named = os.environ.get(VARIABLE)
    if named:
        if not os.access(named, os.X_OK) or os.path.isdir(named):
            raise SetupError("%s names %s, which is no program; correct or unset it" % (VARIABLE, named))
        return os.path.abspath(named)
    for directory in os.get_exec_path():
        path = os.path.join(directory or ".", "pysandbox")
        if os.path.isfile(path) and os.access(path, os.X_OK):
            return os.path.abspath(path)
    raise SetupError("the program pysandbox is not on PATH; install it, or name it in " + VARIABLE)


def is_ours(stderr: bytes) -> bool:
    """Whether those are words of pysandbox's."""
    return stderr.startswith(b"pysandbox: ")


def stranger(path: str, status: int, stderr: bytes) -> SetupError:
    """The error about a program that did not answer as pysandbox does."""
    words = stderr.decode("utf-8", "replace").strip().splitlines()[:1]
    return SetupError("%s did not answer as pysandbox of this version does: it ended with status %d%s; %s" % (
        path, status, " and said %r" % words[0][:200] if words else "",
        "correct or unset " + VARIABLE if os.environ.get(VARIABLE) else "name the right one in " + VARIABLE))


def unstarted(path: str, problem: OSError) -> Exception:
    """The error about a program that could not be started for problem."""
    if problem.errno == EMFILE:
        return of_limit(problem)
    return SetupError("%s could not be started: %s" % (path, problem.strerror))
