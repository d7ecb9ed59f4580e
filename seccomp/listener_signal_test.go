package seccomp_test

import (
	"errors"
	"os"
	"runtime"
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// TestSignalsTakeNoDescriptorBack has the supervisor's thread signalled all the time,
// as the Go runtime does to have its processor. Every call must end with the number
// of the descriptor that it got.
func TestSignalsTakeNoDescriptorBack(t *testing.T) {
	const calls = 5000
	source, err := os.Open(os.DevNull)
	if err != nil {
		t.Fatal(err)
	}
	defer source.Close()
	returned := make([]int, 0, calls)
	listener, done := confined(t, trapping(unix.SYS_GETPPID), func() {
		for range calls {
			number, _, _ := unix.Syscall(unix.SYS_GETPPID, 0, 0, 0)
			returned = append(returned, int(number))
		}
	})
	defer listener.Close()
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	stop := keepSignalling(unix.Gettid())
	defer stop()
	for i := range calls {
		n := receive(t, listener)
		number, err := listener.AddFD(n.ID, int(source.Fd()), 0, seccomp.AddFDSend, true)
		if err != nil {
			t.Errorf("call %d: %v", i, err)
			if err := listener.Respond(seccomp.Response{ID: n.ID, Perform: true}); err != nil && !errors.Is(err, seccomp.ErrGone) {
				t.Fatal(err)
			}
			continue
		}
		_ = unix.Close(number)
	}
	<-done
	for i, number := range returned {
		if number == 0 {
			t.Fatalf("call %d ends with 0, which is no descriptor of its own", i)
		}
	}
}

// keepSignalling sends a thread of this process the signal by which the Go runtime
// interrupts it, until stop is called.
func keepSignalling(tid int) (stop func()) {
	var ended atomic.Bool
	gone := make(chan struct{})
	go func() {
		defer close(gone)
		for !ended.Load() {
			_ = unix.Tgkill(os.Getpid(), tid, unix.SIGURG)
		}
	}()
	return func() {
		ended.Store(true)
		<-gone
	}
}
