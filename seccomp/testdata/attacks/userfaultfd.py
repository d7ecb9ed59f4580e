# wants: EPERM
# reports: userfaultfd
# needs: CAP_SYS_PTRACE
attack(lambda: call(323, 0) >= 0)
