"""Finds the pysandbox binary."""
from __future__ import annotations

import os
import shutil

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
    found = shutil.which("pysandbox")
    if found is None:
        raise SetupError("the program pysandbox is not on PATH; install it, or name it in " + VARIABLE)
    return found
