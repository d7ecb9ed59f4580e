package seccomp

import "golang.org/x/sys/unix"

// Flags with which a filter is loaded (seccomp(2)).
const (
	FlagNewListener  uint64 = unix.SECCOMP_FILTER_FLAG_NEW_LISTENER       // return a listener's descriptor
	FlagSpecAllow    uint64 = unix.SECCOMP_FILTER_FLAG_SPEC_ALLOW         // leave speculation controls off
	FlagWaitKillable uint64 = unix.SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV // a received call waits out signals that do not kill
)

// LoadFlags returns the flags for a filter with a listener, of those that this
// kernel has. FlagSpecAllow is among them: the default of kernels before 5.16
// switches speculative store bypass off, which slows Python by more than it
// protects where no secret shares the process. FlagWaitKillable came with 5.19.
func LoadFlags() uint64 {
	flags := FlagNewListener
	for _, flag := range []uint64{FlagSpecAllow, FlagWaitKillable} {
		if hasFlags(flags | flag) {
			flags |= flag
		}
	}
	return flags
}

// hasFlags asks the kernel by a call that cannot succeed.
func hasFlags(flags uint64) bool {
	_, errno := setFilter(uintptr(flags), nil)
	return errno == unix.EFAULT
}
