package supervisor

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// sigaction is struct kernel_sigaction of Linux on 64-bit machines
// (rt_sigaction(2)); the kernel's set of signals has 64 bits.
type sigaction struct {
	handler  uintptr
	flags    uint64
	restorer uintptr
	mask     uint64
}

// The actions that need no handler (signal(7)).
const (
	actDefault = 0
	actIgnore  = 1
)

// setAction sets the action of sig for the process and returns the one before.
// os/signal cannot give a signal back to the kernel: after Reset the runtime
// keeps its handler for SIGTSTP, which ignores it.
func setAction(sig syscall.Signal, act sigaction) (sigaction, error) {
	var old sigaction
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(&act)), uintptr(unsafe.Pointer(&old)), unsafe.Sizeof(act.mask), 0, 0)
	if errno != 0 {
		return old, errno
	}
	return old, nil
}
