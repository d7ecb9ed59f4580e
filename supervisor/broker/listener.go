package broker

import (
	"sync"

	"github.com/pysandbox/pysandbox/seccomp"
)

// listener lets the serve thread, the pool and the watcher share a
// seccomp.Listener, which is for one thread at a time.
type listener struct {
	mu     sync.Mutex
	single *seccomp.Listener
}

// receive does not wait: poll(2) has announced a call. Where that one is gone
// again the kernel still counts it, and says so at once.
func (l *listener) receive(n *seccomp.Notification) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.single.Receive(n)
}

func (l *listener) respond(r seccomp.Response) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.single.Respond(r)
}

func (l *listener) valid(id uint64) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.single.Valid(id)
}

func (l *listener) addFD(id uint64, source, target int, flags seccomp.AddFDFlags, closeOnExec bool) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	_, err := l.single.AddFD(id, source, target, flags, closeOnExec)
	return err
}
