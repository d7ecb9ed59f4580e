"""Ways to a file that is beside what the policy makes visible.

attacks: the mount tree, and Landlock
effect: the program prints what is in the file
refused: ENOENT, EACCES, EPERM, ELOOP, EROFS, EXDEV, EINVAL, ENOTDIR, ESRCH, ENOSYS
topic: magic links, hard links, symbolic links
"""

import glob
import os

from kit import attempt, call, how, inside, libc, say, syscall, target

SECRET, VISIBLE = target["secret"], target["visible"]
NAME = os.path.basename(SECRET)


def show(path, directory=None):
    with attempt():
        fd = os.open(path, os.O_RDONLY, dir_fd=directory)
        say(os.read(fd, 4096).decode(errors="replace"))
        os.close(fd)


def ours(pattern):
    """Files of the sandbox's processes. Outside there are too many."""
    return glob.glob(pattern) if inside else []


def visible():
    return os.open(VISIBLE, os.O_RDONLY | os.O_DIRECTORY)


if how == "plain":
    show(SECRET)
elif how == "roots":
    for root in ["/proc/self/root", "/proc/1/root", "/proc/thread-self/root", "/proc/%d/root" % target["pid"],
                 *ours("/proc/[0-9]*/root"), *ours("/proc/*/task/*/root")]:
        show(root + SECRET)
elif how == "working directories":
    for cwd in [*ours("/proc/[0-9]*/cwd"), "/proc/%d/cwd" % target["pid"]]:
        show(cwd + "/" + NAME)
        show(cwd + "/../" + NAME)
elif how == "descriptors of processes":
    for fd in [*ours("/proc/[0-9]*/fd/*"), *("/proc/%d/fd/%d" % (target["pid"], n) for n in range(5))]:
        show(fd + "/" + NAME)
        show(fd + "/../" + NAME)
elif how == "parent of descriptor":
    show("../" + NAME, visible())
elif how == "parent of magic link":
    show("/proc/self/fd/%d/../%s" % (visible(), NAME))
elif how == "change of directory":
    os.fchdir(visible())
    show("../" + NAME)
    os.chdir("..")
    show(NAME)
elif how == "change of root":
    fd = visible()
    with attempt():
        os.mkdir("/tmp/root-%d" % os.getpid())
        os.chroot("/tmp/root-%d" % os.getpid())
        os.fchdir(fd)
    show("../" * 20 + SECRET)
elif how == "symbolic link":
    os.symlink(SECRET, "/tmp/link-%d" % os.getpid())
    show("/tmp/link-%d" % os.getpid())
elif how == "symbolic link in the visible directory":
    with attempt():
        os.symlink(SECRET, VISIBLE + "/link")
    show(VISIBLE + "/link")
elif how == "hard link":
    with attempt():
        os.link(SECRET, VISIBLE + "/link")
    show(VISIBLE + "/link")
elif how == "hard link from descriptor":
    with attempt():
        os.link("../" + NAME, VISIBLE + "/link", src_dir_fd=visible())
    show(VISIBLE + "/link")
elif how == "rename":
    with attempt():
        os.rename(SECRET, VISIBLE + "/renamed")
    show(VISIBLE + "/renamed")
elif how == "mount":
    with attempt():
        call(libc.mount, os.path.dirname(SECRET).encode(), b"/tmp", None, 4096, None)
    show("/tmp/" + NAME)
elif how == "tree":
    with attempt():
        show(NAME, syscall(428, -100, os.path.dirname(SECRET).encode(), 1))
elif how == "moved directory":
    # A directory that is renamed while it is the working directory.
    os.makedirs(VISIBLE + "/a/b", exist_ok=True)
    os.chdir(VISIBLE + "/a/b")
    os.rename(VISIBLE + "/a/b", VISIBLE + "/b")
    show("../../" + NAME)
    show("../" * 3 + NAME)
