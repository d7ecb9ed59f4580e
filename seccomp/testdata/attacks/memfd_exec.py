# wants: ENOSYS
# reports: memfd_create
def execute():
    with open("/bin/true", "rb") as source:
        program = source.read()
    fd = os.memfd_create("tool")
    os.write(fd, program)
    child = os.fork()
    if child == 0:
        try:
            os.execve(fd, ["true"], {})
        finally:
            os._exit(1)
    return os.waitpid(child, 0)[1] == 0


attack(execute)
