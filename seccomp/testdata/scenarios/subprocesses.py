# layers: base subprocess
import os, subprocess, sys

for options in ({}, {"close_fds": False}, {"start_new_session": True}, {"preexec_fn": os.getpid}, {"shell": True}):
    argv = "exit 3" if options.get("shell") else ["/bin/sh", "-c", "exit 3"]
    assert subprocess.call(argv, **options) == 3, options
assert subprocess.run([sys.executable, "-I", "-S", "-c", "print(7)"], stdout=subprocess.PIPE).stdout == b"7\n"
assert os.system("exit 0") == 0
assert os.popen("echo 5").read() == "5\n"
child = os.fork()
if child == 0:
    os._exit(4)
assert os.WEXITSTATUS(os.waitpid(child, 0)[1]) == 4
if hasattr(os, "posix_spawn"):
    assert os.waitpid(os.posix_spawn("/bin/true", ["true"], os.environ), 0)[1] == 0
