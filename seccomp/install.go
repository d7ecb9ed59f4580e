package seccomp

import (
	"fmt"

	"golang.org/x/sys/unix"
)

// Install loads the program for the calling thread, which must be locked to its
// goroutine and have no_new_privs set, and returns the listener's descriptor if
// FlagNewListener is among the flags.
func (p Program) Install(flags uint64) (int, error) {
	if len(p) == 0 || len(p) > maxInstructions {
		return -1, fmt.Errorf("%w: %d instructions", ErrProgram, len(p))
	}
	fd, errno := setFilter(uintptr(flags), p)
	switch errno {
	case 0:
		return fd, nil
	case unix.EBUSY:
		return -1, fmt.Errorf("load the seccomp filter: a listener is already in force above this process: %w", errno)
	default:
		return -1, fmt.Errorf("load the seccomp filter: %w", errno)
	}
}
