# wants: EPERM
# reports: prlimit64
import resource

child = os.fork()
if child == 0:
    import signal

    signal.pause()


def limit():
    resource.prlimit(child, resource.RLIMIT_NOFILE, (7, 7))
    return True


attack(limit)
if resource.prlimit(child, resource.RLIMIT_NOFILE)[0] == 7:
    print("the limit is set")
os.kill(child, 9)
