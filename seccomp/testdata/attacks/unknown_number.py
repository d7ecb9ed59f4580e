# wants: ENOSYS
# control: ENOSYS
# A call of a future kernel. Nobody is asked about it, so nobody can err.
attack(lambda: call(1000) >= 0)
