"""Files in and out."""
import os
import shutil
import subprocess
import tempfile
import threading
import time
import unittest
from array import array
from unittest import mock

from pysandbox import DeadlineError, GuestError, ViolationError
from pysandbox import files
from support import PATIENCE, Case


class Files(Case):
    def test_in_and_out(self):
        for view in (memoryview(array("i", [1, 2])), memoryview(b"0123456789")[::2], memoryview(b"x")):
            self.sb.write_file("/tmp/view", view)
            self.assertEqual(self.sb.read_file("/tmp/view"), view.tobytes())
        self.sb.write_file("/tmp/in", b"data")
        self.assertEqual(self.sb.eval("open('/tmp/in').read()"), "data")
        self.sb.exec("open('/tmp/out', 'wb').write(bytes(range(256)) * 4096)")
        self.assertEqual(self.sb.read_file("/tmp/out"), bytes(range(256)) * 4096)
        self.assertEqual(self.sb.list_files("/tmp")["out"], 1 << 20)
        with self.assertRaises(GuestError):
            self.sb.read_file("/tmp/out", limit=1000)

    def test_many_files_are_listed(self):
        self.sb.exec("import os\nos.makedirs('/tmp/top/sub')\nfor n in range(6000): "
                     "open('/tmp/top/sub/a file of a longer name %d' % n, 'w').write('x' * (n % 7))\n"
                     "open(b'/tmp/top/\\xff', 'w')\nopen('/tmp/top/\\n', 'w')\n"
                     "os.symlink('x', '/tmp/top/link')")
        found = self.sb.list_files("/tmp/top")
        self.assertEqual(len(found), 6002)
        self.assertEqual((found["sub/a file of a longer name 5"], found["\udcff"], found["\n"]), (5, 0, 0))
        self.sb.write_file("/tmp/top/\udcff", b"bytes")
        self.assertEqual(self.sb.read_file("/tmp/top/\udcff"), b"bytes")
        for top in ("/tmp/missing", "/etc/passwd"):
            with self.assertRaises(GuestError) as caught:
                self.sb.list_files(top)
            self.assertIn(caught.exception.type_name, ("FileNotFoundError", "NotADirectoryError"))

    def test_what_is_no_regular_file_is_refused_at_once(self):
        self.sb.exec("import os, threading\nos.mkfifo('/tmp/fifo')\nos.mkfifo('/tmp/read')\n"
                     "reader = os.open('/tmp/read', os.O_RDONLY | os.O_NONBLOCK)\nos.mkdir('/tmp/dir')")
        began = time.monotonic()
        for path in ("/tmp/fifo", "/tmp/read", "/tmp/dir", "/dev/zero"):
            for ask in (self.sb.read_file, lambda path: self.sb.write_file(path, b"x")):
                with self.subTest(path), self.assertRaises(GuestError):
                    ask(path)
        with self.assertRaises(GuestError):
            self.sb.copy_out("/tmp/fifo", "/nonexistent/never")
        self.assertLess(time.monotonic() - began, PATIENCE / 2)

    def test_a_shorter_file_leaves_nothing_of_a_longer_one(self):
        self.sb.write_file("/tmp/x", b"longer", 0o640)
        self.sb.write_file("/tmp/x", b"short", 0o755)
        self.assertEqual(self.sb.read_file("/tmp/x"), b"short")
        self.assertEqual(self.sb.eval("__import__('os').stat('/tmp/x').st_mode & 0o777"), 0o755)

    def test_they_have_deadlines(self):
        self.sb.exec("import os, time\ndef stuck(*_):\n    while True: time.sleep(1)\n"
                     "os.open = os.walk = stuck")
        for ask in (lambda: self.sb.read_file("/tmp/x", timeout=0.3),
                    lambda: self.sb.write_file("/tmp/x", b"x", timeout=0.3),
                    lambda: self.sb.list_files("/tmp", timeout=0.3),
                    lambda: self.sb.copy_in("/etc/passwd", "/tmp/x", timeout=0.3),
                    lambda: self.sb.copy_out("/tmp/x", "/nonexistent/never", timeout=0.3)):
            with self.assertRaises(DeadlineError) as caught:
                ask()
            self.assertIn("within 0.3 seconds", str(caught.exception))

    def test_a_symlink_leads_to_the_guests_own(self):
        self.sb.exec("import os; os.symlink('/etc/passwd', '/tmp/link')")
        self.assertIn(b"sandbox:x:1000", self.sb.read_file("/tmp/link"))
        with open("/etc/passwd", "rb") as hosts:
            self.assertNotEqual(hosts.read(), self.sb.read_file("/tmp/link"))

    def test_copy_out_replaces_a_symlink(self):
        with tempfile.TemporaryDirectory() as top:
            victim, target = os.path.join(top, "victim"), os.path.join(top, "target")
            with open(victim, "w") as file:
                file.write("precious")
            os.symlink(victim, target)
            self.sb.write_file("/tmp/x", b"new")
            self.sb.copy_out("/tmp/x", target)
            with open(victim) as file:
                self.assertEqual(file.read(), "precious")
            with open(target) as file:
                self.assertEqual(file.read(), "new")

    def test_trees_of_the_host_are_entered_without_symlinks(self):
        with tempfile.TemporaryDirectory() as top:
            files.write_below(top, "a/b", b"1")
            self.assertEqual((files.read_below(top, "a/b"), list(files.walk_below(top))), (b"1", ["a/b"]))
            longest = "\N{SNOWMAN}" * 85  # 255 bytes
            files.write_below(top, longest, b"2")
            self.assertEqual(files.read_below(top, longest), b"2")
            os.symlink("/etc", os.path.join(top, "etc"))
            os.symlink("/etc/passwd", os.path.join(top, "a/p"))
            os.mkfifo(os.path.join(top, "fifo"))
            for name in ("etc/passwd", "a/p"):
                with self.assertRaises(OSError, msg=name):
                    files.read_below(top, name)
            for name in ("../x", "/etc/passwd", "a/../../x", "fifo", ""):
                with self.assertRaises(Exception, msg=name):
                    files.read_below(top, name)

    def test_no_tree_harms_who_walks_it(self):
        with tempfile.TemporaryDirectory() as top:
            os.mkdir(os.path.join(top, "dir"))
            before = len(os.listdir("/proc/self/fd"))
            for _ in range(5):
                with self.assertRaises(ViolationError):
                    files.read_below(top, "dir")
            at = os.open(top, os.O_RDONLY)
            for _ in range(2000):
                os.mkdir("d", dir_fd=at)
                at, above = os.open("d", os.O_RDONLY, dir_fd=at), at
                os.close(above)
            os.close(at)
            with self.assertRaises(ViolationError):
                files.walk_below(top)
            self.assertEqual(len(os.listdir("/proc/self/fd")), before)
            subprocess.run(["rm", "-r", os.path.join(top, "d")], check=True)

    def test_paths_that_a_walk_finds_have_a_bound(self):
        """Each file in deep directories has all of their names in its path."""
        with tempfile.TemporaryDirectory() as top:
            at = os.open(top, os.O_RDONLY)
            for _ in range(40):
                os.mkdir("d" * 250, dir_fd=at)
                at, above = os.open("d" * 250, os.O_RDONLY, dir_fd=at), at
                os.close(above)
            for n in range(100):
                os.close(os.open("%d" % n, os.O_CREAT, 0o600, dir_fd=at))
            os.close(at)
            self.assertEqual(len(list(files.walk_below(top))), 100)
            with mock.patch.object(files, "NAMES", 1000000), self.assertRaises(ViolationError):
                files.walk_below(top)
            subprocess.run(["rm", "-r", os.path.join(top, "d" * 250)], check=True)

    def test_what_goes_away_is_left_out_of_a_walk(self):
        with tempfile.TemporaryDirectory() as top:
            files.write_below(top, "kept", b"")
            over = threading.Event()

            def churn():
                while not over.is_set():
                    for n in range(50):
                        files.write_below(top, "d/%d" % n, b"")
                    shutil.rmtree(os.path.join(top, "d"))
            thread = threading.Thread(target=churn)
            thread.start()
            try:
                for _ in range(500):
                    self.assertIn("kept", files.walk_below(top))
            finally:
                over.set()
                thread.join()


if __name__ == "__main__":
    unittest.main()
