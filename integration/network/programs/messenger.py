"""Makes the calls for which libzmq aborts where they fail in any other way than here."""

import ctypes
import errno
import threading

libc = ctypes.CDLL(None, use_errno=True)
libc.pthread_self.restype = ctypes.c_ulong
libc.pthread_setschedparam.argtypes = [ctypes.c_ulong, ctypes.c_int, ctypes.c_void_p]
SCHED_OTHER = 0


def keep_the_usual_pace():
    """As each of its threads begins."""
    priority = ctypes.c_int(0)
    print("pace:", libc.pthread_setschedparam(libc.pthread_self(), SCHED_OTHER, ctypes.byref(priority)))


def interfaces():
    """As it binds a socket, to an address too, in case that is the name of one."""
    found = ctypes.c_void_p()
    if libc.getifaddrs(ctypes.byref(found)):
        return "none" if ctypes.get_errno() == errno.EOPNOTSUPP else ctypes.get_errno()
    libc.freeifaddrs(found)
    return "listed"


thread = threading.Thread(target=keep_the_usual_pace)
thread.start()
thread.join()
print("interfaces:", interfaces())
