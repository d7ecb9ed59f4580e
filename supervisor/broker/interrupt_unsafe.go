package broker

import (
	"fmt"
	"unsafe"

	"golang.org/x/sys/unix"
)

// connectWaiting is connect(2) where it may wait: the runtime learns of it, and
// the rest of the supervisor goes on.
func connectWaiting(fd int, address []byte) unix.Errno {
	_, _, errno := unix.Syscall(unix.SYS_CONNECT, uintptr(fd), pointer(address), uintptr(len(address)))
	return errno
}

// sigaction is struct kernel_sigaction of Linux on 64-bit machines
// (rt_sigaction(2)).
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// saRestart is SA_RESTART (linux/signal.h).
const saRestart = 0x10000000

// endCallsBy lets a signal end the call that it interrupts, which the runtime's
// handlers would have the kernel restart.
func endCallsBy(sig unix.Signal) error {
	var act sigaction
	change := func(act, old *sigaction) error {
		_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
			uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(old.mask), 0, 0)
		if errno != 0 {
			return fmt.Errorf("let signal %d end system calls: %w", sig, errno)
		}
		return nil
	}
	if err := change(nil, &act); err != nil {
		return err
	}
	if act.flags&saRestart == 0 {
		return nil
	}
	act.flags &^= saRestart
	return change(&act, nil)
}
