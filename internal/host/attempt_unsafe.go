package host

import (
	"errors"
	"fmt"
	"runtime"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// call is one system call of an attempt.
type call struct {
	number uintptr
	args   [6]uintptr
}

// attempt makes a child in new namespaces that makes some system calls and
// exits, and returns the first errno that one of them answered: nil when all
// succeeded. flags are those of clone(2). Pointers in calls are those of a
// memory. The child runs no program: what fails here fails for every program
// that this process starts.
func attempt(flags uintptr, calls ...call) error {
	pid, errno := forkAttempt(flags|uintptr(unix.SIGCHLD), calls)
	if errno != 0 {
		return errno
	}
	var status unix.WaitStatus
	for {
		_, err := unix.Wait4(int(pid), &status, 0, nil)
		if errors.Is(err, unix.EINTR) {
			continue
		}
		if err != nil {
			return fmt.Errorf("wait for an attempt: %w", err)
		}
		break
	}
	switch {
	case status.Signaled():
		return fmt.Errorf("an attempt ended by %v", status.Signal())
	case status.ExitStatus() != 0:
		return syscall.Errno(status.ExitStatus())
	default:
		return nil
	}
}

// forkAttempt clones and runs the calls in the child, which exits with the errno
// of the first one that fails. The child is a copy of one thread of a Go program,
// so it does nothing but raw system calls: no allocation, no growth of the stack,
// no call that the scheduler would see.
//
//go:noinline
//go:norace
//go:nosplit
func forkAttempt(flags uintptr, calls []call) (pid uintptr, errno syscall.Errno) {
	pid, _, errno = syscall.RawSyscall6(syscall.SYS_CLONE, flags, 0, 0, 0, 0, 0)
	if errno != 0 || pid != 0 {
		return pid, errno
	}
	for i := range calls {
		c := &calls[i]
		_, _, errno = syscall.RawSyscall6(c.number, c.args[0], c.args[1], c.args[2], c.args[3], c.args[4], c.args[5])
		if errno != 0 {
			break
		}
	}
	for {
		_, _, _ = syscall.RawSyscall6(syscall.SYS_EXIT_GROUP, uintptr(errno), 0, 0, 0, 0, 0)
	}
}

// memory holds what calls point to, where the garbage collector and a growing
// stack leave it in place.
type memory struct {
	pinner runtime.Pinner
}

func (m *memory) free() { m.pinner.Unpin() }

// text returns the address of a NUL-terminated copy.
func (m *memory) text(s string) uintptr {
	buffer := append([]byte(s), 0)
	m.pinner.Pin(&buffer[0])
	return uintptr(unsafe.Pointer(&buffer[0]))
}

// permissive returns the address of a filter that permits every call.
func (m *memory) permissive() uintptr {
	allow := &[1]unix.SockFilter{{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW}}
	program := &unix.SockFprog{Len: 1, Filter: &allow[0]}
	m.pinner.Pin(allow)
	m.pinner.Pin(program)
	return uintptr(unsafe.Pointer(program))
}
