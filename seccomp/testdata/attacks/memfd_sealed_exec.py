# feature: memfd-noexec
# wants: EACCES
# control: EACCES
# The memory file that the filter lets through is one the kernel does not execute.
def execute():
    with open("/bin/true", "rb") as source:
        program = source.read()
    fd = os.memfd_create("tool", os.MFD_CLOEXEC | 8)
    os.write(fd, program)
    os.execve(fd, ["true"], {})


attack(execute)
