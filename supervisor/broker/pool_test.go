package broker

import (
	"testing"

	"golang.org/x/sys/unix"
)

// TestFullPoolRefuses offloads more than may wait: the call is refused, so that
// its caller does not wait for ever, and its descriptor is closed.
func TestFullPoolRefuses(t *testing.T) {
	b := &Broker{pool: pool{jobs: make(chan func(), 1), quit: make(chan struct{})}}
	var pair [2][2]int
	for i := range pair {
		if err := unix.Pipe2(pair[i][:], unix.O_CLOEXEC); err != nil {
			t.Fatal(err)
		}
		defer unix.Close(pair[i][0])
	}
	first, second := &socket{fd: pair[0][1]}, &socket{fd: pair[1][1]}
	idle := func(*socket) reply { return performed(0, 0) }
	if r := b.offload(&request{}, first, idle); !r.later {
		t.Errorf("the first call is answered at once: %+v", r)
	}
	if r := b.offload(&request{}, second, idle); r.later || r.errno != unix.EAGAIN || r.performed {
		t.Errorf("the second call is not refused: %+v", r)
	}
	if first.fd != -1 || second.fd != -1 {
		t.Error("the caller still has a descriptor that it gave away")
	}
	if open := isOpen(pair[0][1]); !open {
		t.Error("the descriptor of the waiting call is closed")
	}
	if isOpen(pair[1][1]) {
		t.Error("the descriptor of the refused call is open")
	}
	unix.Close(pair[0][1])
}

func isOpen(fd int) bool {
	_, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
	return err == nil
}
