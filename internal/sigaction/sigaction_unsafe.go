// Package sigaction sets what the kernel does on a signal, beneath the Go runtime,
// which keeps its own handlers. It installs no handler of its own.
package sigaction

import (
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// Action is struct kernel_sigaction of Linux on 64-bit machines
// (rt_sigaction(2)); the kernel's set of signals has 64 bits.
type Action struct {
	Handler  uintptr
	Flags    uint64
	Restorer uintptr
	Mask     uint64
}

// The handlers that need no function (signal(7)).
const (
	Default = 0
	Ignore  = 1
)

// Restart is SA_RESTART (linux/signal.h).
const Restart = 0x10000000

// Get returns the action of sig for the process.
func Get(sig syscall.Signal) (Action, error) {
	var act Action
	err := change(sig, nil, &act)
	return act, err
}

// Set sets the action of sig for the process and returns the one before.
// os/signal cannot give a signal back to the kernel: after Reset the runtime
// keeps its handler for SIGTSTP, which ignores it.
func Set(sig syscall.Signal, act Action) (Action, error) {
	var old Action
	err := change(sig, &act, &old)
	return old, err
}

func change(sig syscall.Signal, act, old *Action) error {
	_, _, errno := unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig),
		uintptr(unsafe.Pointer(act)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(old.Mask), 0, 0)
	if errno != 0 {
		return errno
	}
	return nil
}
