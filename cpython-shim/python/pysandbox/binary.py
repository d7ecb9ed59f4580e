"""Finds the pysandbox binary."""
from __future__ import annotations

import os

from .errors import SetupError

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
