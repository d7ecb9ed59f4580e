package broker

import (
	"sync"
	"time"
)

// lostMemory is how long a lost call makes a fresh socket suspicious.
const lostMemory = time.Second

// lostCalls remembers the last notification that vanished: a signal took its
// caller out of the call before the supervisor received or answered it. The
// kernel numbers notifications one by one and hands them out in that order, so a
// number that is left out was lost.
type lostCalls struct {
	mu       sync.Mutex
	received uint64 // number of the last notification that was received
	lost     uint64
	at       time.Time
}

// receive takes note of a notification and of a gap before it.
func (l *lostCalls) receive(id uint64) {
	if l.received != 0 && id != l.received+1 {
		l.note(id - 1)
	}
	l.received = id
}

func (l *lostCalls) note(id uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.lost, l.at = id, time.Now()
}

// since reports whether a call was lost lately, and not before the thread's last
// connect. A thread that goes on while that has no answer has lost that one.
func (l *lostCalls) since(connect *request) bool {
	if connect != nil && !connect.answered.Load() {
		return true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lost != 0 && (connect == nil || l.lost >= connect.ID) && time.Since(l.at) < lostMemory
}
