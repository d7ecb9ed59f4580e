package supervisor

import (
	"fmt"
	"syscall"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"golang.org/x/sys/unix"
)

// become gives up root for the sandbox's own host uid, for good and in every
// thread: from here on the supervisor reads hostile input without privilege. It
// keeps the lease group, which may remove cgroups of the sandboxes and nothing
// else. Without root it only closes the process to others.
func (c *child) become() error {
	if c.lease != nil {
		if err := keepLeaseGroup(); err != nil {
			return fmt.Errorf("keep only the lease group: %w", err)
		}
		if err := syscall.Setresgid(c.gid, c.gid, c.gid); err != nil {
			return fmt.Errorf("become group %d: %w", c.gid, err)
		}
		if err := syscall.Setresuid(c.uid, c.uid, c.uid); err != nil {
			return fmt.Errorf("become user %d: %w", c.uid, err)
		}
	}
	if err := unix.Prctl(unix.PR_SET_DUMPABLE, 0, 0, 0, 0); err != nil {
		return fmt.Errorf("make the supervisor non-dumpable: %w", err)
	}
	return nil
}

// keepLeaseGroup does nothing where the constructor has done it: a change of every
// thread takes a tenth of a millisecond.
func keepLeaseGroup() error {
	groups, err := syscall.Getgroups()
	if err == nil && len(groups) == 1 && groups[0] == shim.LeaseGroup {
		return nil
	}
	return syscall.Setgroups([]int{shim.LeaseGroup})
}
