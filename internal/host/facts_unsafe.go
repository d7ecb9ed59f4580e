package host

import (
	"unsafe"

	"golang.org/x/sys/unix"
)

// landlockABI asks for the highest ABI (landlock_create_ruleset(2)). The error
// is EOPNOTSUPP where Landlock is switched off at boot, ENOSYS where the kernel
// has none.
func landlockABI() (int, error) {
	abi, _, errno := unix.Syscall(unix.SYS_LANDLOCK_CREATE_RULESET, 0, 0, unix.LANDLOCK_CREATE_RULESET_VERSION)
	if errno != 0 {
		return 0, errno
	}
	return int(abi), nil
}

// actionAvailable asks whether filters may return an action (seccomp(2),
// SECCOMP_GET_ACTION_AVAIL).
func actionAvailable(action uint32) error {
	_, _, errno := unix.Syscall(unix.SYS_SECCOMP, unix.SECCOMP_GET_ACTION_AVAIL, 0, uintptr(unsafe.Pointer(&action)))
	if errno != 0 {
		return errno
	}
	return nil
}
