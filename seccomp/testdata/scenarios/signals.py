# layers: base
import faulthandler, os, signal, time

seen = []
signal.signal(signal.SIGALRM, lambda number, frame: seen.append(number))
signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)  # again and again: the first may come before pause()
signal.pause()
signal.setitimer(signal.ITIMER_REAL, 0)
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
os.kill(os.getpid(), signal.SIGUSR1)
assert signal.sigtimedwait([signal.SIGUSR1], 1).si_signo == signal.SIGUSR1
signal.raise_signal(signal.SIGALRM) if hasattr(signal, "raise_signal") else os.kill(os.getpid(), signal.SIGALRM)
time.sleep(0)
assert set(seen) == {signal.SIGALRM} and len(seen) >= 2, seen
faulthandler.enable()
faulthandler.dump_traceback()
