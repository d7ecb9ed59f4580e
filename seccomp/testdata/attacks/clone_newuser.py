# wants: EPERM
# reports: clone
def clone():
    child = call(56, 0x10000000 | 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


attack(clone)
