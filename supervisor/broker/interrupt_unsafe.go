package broker

import "golang.org/x/sys/unix"

// connectWaiting is connect(2) where it may wait: the runtime learns of it, and
// the rest of the supervisor goes on.
func connectWaiting(fd int, address []byte) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), pointer(address), uintptr(len(address)))
	return errno
}
