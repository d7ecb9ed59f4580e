"""What the host's operator reads of a method that has failed holds the guest's words."""
import io
import logging
import unittest
from unittest import mock

from pysandbox import Sandbox, expose
from pysandbox.told import MOST


class Log(unittest.TestCase):
    """What the host's operator reads of a method that has failed holds the guest's words."""

    FORGED = "\x1b]0;owned\x07\nCRITICAL:root:forged\r\u2028\x85forged"

    def told(self, source):
        """What a handler writes to a terminal while a guest runs source."""
        class Strict:
            @expose
            def get(self, name):
                raise LookupError("there is no " + name)
        written = io.StringIO()
        handler, logger = logging.StreamHandler(written), logging.getLogger("pysandbox")
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        with mock.patch.object(logger, "propagate", False), mock.patch.object(logger, "handlers", [handler]):
            with Sandbox() as sb:
                sb.grant("strict", Strict())
                sb.exec("def get(name):\n    try: strict.get(name)\n    except Exception: pass\n" + source)
        return written.getvalue()

    def test_it_moves_no_terminal_and_forges_no_line(self):
        text = self.told("get(%r)" % self.FORGED)
        self.assertIn("LookupError: there is no \\x1b]0;owned\\x07\n", text)
        self.assertTrue(text.replace("\n", "").isprintable())
        lines = text.split("\n")[:-1]
        self.assertEqual([line for line in lines if line[:2] != "  "],
                         ["WARNING:pysandbox:the exposed method get failed"])

    def test_it_has_a_bound(self):
        self.assertLess(len(self.told("get('x' * (20 << 20))\nget('x\\n' * (1 << 20))")), 10000)
        text = self.told("for n in range(1000): get('%d' % n)")
        self.assertEqual(text.count("the exposed method get failed"), MOST)
        self.assertIn("is not told", text)


if __name__ == "__main__":
    unittest.main()
