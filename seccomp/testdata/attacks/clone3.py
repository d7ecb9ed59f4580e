# wants: ENOSYS
# clone3(2) into a user namespace: the flags are in memory, out of BPF's sight.
def clone3():
    arguments = struct.pack("8Q", 0x10000000, 0, 0, 0, 17, 0, 0, 0)  # CLONE_NEWUSER, SIGCHLD
    child = call(435, arguments, len(arguments))
    if child == 0:
        os._exit(0)
    return os.waitpid(child, 0)[1] == 0


attack(clone3)
