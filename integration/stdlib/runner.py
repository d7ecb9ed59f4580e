"""Runs tests of CPython's suite by name and prints what became of each, one a line."""
import json
import sys
import traceback
import unittest

from test import support

MARK = "\x1e"  # begins a line of ours among those that tests print
RESOURCES = {"test_socketserver": ["network"]}  # it means the loopback


def say(test, outcome, detail=""):
    line = json.dumps({"test": test.id(), "outcome": outcome, "detail": detail[-2000:]})
    print("\n%s%s" % (MARK, line), file=sys.__stdout__, flush=True)


def said(err):
    return "".join(traceback.format_exception(*err))


class Outcomes(unittest.TestResult):
    def startTest(self, test):
        super().startTest(test)
        say(test, "started")

    def addSuccess(self, test):
        say(test, "ok")

    def addExpectedFailure(self, test, err):
        say(test, "ok")

    def addUnexpectedSuccess(self, test):
        say(test, "failed", "unexpected success")

    def addSkip(self, test, reason):
        say(test, "skipped", reason)

    def addFailure(self, test, err):
        say(test, "failed", said(err))

    def addError(self, test, err):
        say(test, "failed", said(err))

    def addSubTest(self, test, subtest, err):
        if err is not None:
            say(test, "failed", said(err))


def main(names):
    support.use_resources = sum([RESOURCES.get(name.split(".")[1], []) for name in names], [])
    try:
        unittest.defaultTestLoader.loadTestsFromNames(names)(Outcomes())
    except unittest.SkipTest as reason:  # of a whole module
        print(reason, file=sys.stderr)
    print("\n%s{}" % MARK, file=sys.__stdout__, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
