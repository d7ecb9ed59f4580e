# wants: EPERM
# reports: pidfd_getfd
attack(lambda: call(438, call(434, os.getpid(), 0), 0, 0) > 0)
