// Package errnos knows the errors of Linux by name and by number (errno(3)). It only
// looks them up; what an error means is its caller's business.
package errnos

import (
	"errors"
	"syscall"

	"golang.org/x/sys/unix"
)

// last is the greatest error with a name on x86-64.
const last = unix.EHWPOISON

// Name returns the name of an error, such as "EACCES", or "" for a number without one.
// Of two names it is the kernel's, as strace(1) prints it: EOPNOTSUPP, which Python
// calls ENOTSUP; EAGAIN; EDEADLK.
func Name(errno syscall.Errno) string {
	if errno == unix.EOPNOTSUPP {
		return "EOPNOTSUPP" // x/sys/unix prefers its twin
	}
	return unix.ErrnoName(errno)
}

// Number returns the error of a name, by its second name too.
func Number(name string) (syscall.Errno, bool) {
	switch name {
	case "ENOTSUP":
		return unix.ENOTSUP, true
	case "EWOULDBLOCK":
		return unix.EWOULDBLOCK, true
	case "EDEADLOCK":
		return unix.EDEADLOCK, true
	}
	for errno := syscall.Errno(1); errno <= last; errno++ {
		if name != "" && Name(errno) == name {
			return errno, true
		}
	}
	return 0, false
}

// Names returns every name that Number knows.
func Names() []string {
	names := []string{"ENOTSUP", "EWOULDBLOCK", "EDEADLOCK"}
	for errno := syscall.Errno(1); errno <= last; errno++ {
		if name := Name(errno); name != "" {
			names = append(names, name)
		}
	}
	return names
}

// Of returns the error number in err: 0 for nil, EIO where there is none.
func Of(err error) syscall.Errno {
	if err == nil {
		return 0
	}
	if errno, ok := errors.AsType[syscall.Errno](err); ok && errno != 0 {
		return errno
	}
	return unix.EIO
}
