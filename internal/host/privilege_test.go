package host

import (
	"runtime"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/testenv"
)

// asNobody runs f on a thread with the effective ids and the rights of an
// ordinary user.
func asNobody(t *testing.T, f func()) {
	t.Helper()
	testenv.Need(t, testenv.Root)
	done := make(chan error)
	go func() {
		// The thread ends with its goroutine: it is never given back.
		runtime.LockOSThread()
		_, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, testenv.Nobody, testenv.Nobody, testenv.Nobody)
		if errno == 0 {
			_, _, errno = unix.RawSyscall(unix.SYS_SETRESUID, testenv.Nobody, testenv.Nobody, testenv.Nobody)
		}
		if errno != 0 {
			done <- errno
			return
		}
		f()
		done <- nil
	}()
	if err := <-done; err != nil {
		t.Fatalf("become an ordinary user: %v", err)
	}
}
