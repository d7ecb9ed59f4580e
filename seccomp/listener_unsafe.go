package seccomp

import (
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// kernelSizes are the sizes in bytes of the kernel's structures.
type kernelSizes struct{ notification, response, data uint16 }

// notificationSizes is seccomp(SECCOMP_GET_NOTIF_SIZES).
func notificationSizes() (kernelSizes, syscall.Errno) {
	var sizes kernelSizes
	_, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_NOTIF_SIZES, 0, uintptr(unsafe.Pointer(&sizes)))
	return sizes, errno
}

// ioctl makes a request that does not block.
func ioctl(fd int, request uintptr, words *uint64) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(words)))
	return errno
}

// waitingIoctl makes a request that may block, and tells the scheduler so.
func waitingIoctl(fd int, request uintptr, words *uint64) syscall.Errno {
	_, errno := waitingIoctlResult(fd, request, words)
	return errno
}

func waitingIoctlResult(fd int, request uintptr, words *uint64) (int, syscall.Errno) {
	result, _, errno := unix.Syscall(unix.SYS_IOCTL, uintptr(fd), request, uintptr(unsafe.Pointer(words)))
	return int(result), errno
}

// uninterruptedIoctl is waitingIoctlResult with every signal of the thread held back,
// also those by which the Go runtime takes the processor from a goroutine.
func uninterruptedIoctl(fd int, request uintptr, words *uint64) (int, syscall.Errno) {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, old := ^uint64(0), uint64(0)
	setSignalMask(&all, &old)
	defer setSignalMask(&old, nil)
	return waitingIoctlResult(fd, request, words)
}

// setSignalMask is rt_sigprocmask(SIG_SETMASK), which cannot fail with such arguments.
func setSignalMask(mask, old *uint64) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(mask)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(*mask), 0, 0)
}

// setListenerFlags is SECCOMP_IOCTL_NOTIF_SET_FLAGS, whose argument is a number
// and no pointer.
func setListenerFlags(fd int, flags uintptr) syscall.Errno {
	_, _, errno := unix.RawSyscall(unix.SYS_IOCTL, uintptr(fd), unix.SECCOMP_IOCTL_NOTIF_SET_FLAGS, flags)
	return errno
}

// setFilter is seccomp(SECCOMP_SET_MODE_FILTER). Without a program the kernel
// answers EFAULT if it knows the flags, and EINVAL if not.
func setFilter(flags uintptr, program Program) (int, syscall.Errno) {
	var argument unsafe.Pointer
	if len(program) > 0 {
		argument = unsafe.Pointer(&unix.SockFprog{
			Len:    uint16(len(program)),
			Filter: (*unix.SockFilter)(unsafe.Pointer(&program[0])),
		})
	}
	result, _, errno := unix.RawSyscall(unix.SYS_SECCOMP, unix.SECCOMP_SET_MODE_FILTER, flags, uintptr(argument))
	return int(result), errno
}
