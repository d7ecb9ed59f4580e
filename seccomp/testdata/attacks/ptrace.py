# wants: EPERM
# reports: ptrace
child = os.fork()
if child == 0:
    import signal

    signal.pause()
attack(lambda: call(101, 0x4206, child, 0, 0) == 0)
os.kill(child, 9)
