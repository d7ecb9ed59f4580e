package broker

import (
	"sync/atomic"
	"time"
)

// lostMemory is how long a lost call makes a fresh socket suspicious.
const lostMemory = time.Second

// lostCalls remembers that a notification vanished: a signal took its caller out
// of the call before the supervisor received or answered it.
type lostCalls struct{ last atomic.Int64 }

func (l *lostCalls) note() { l.last.Store(time.Now().UnixNano()) }

func (l *lostCalls) recent() bool {
	return time.Now().UnixNano()-l.last.Load() < int64(lostMemory)
}

func since(req *request) time.Duration { return time.Since(req.received) }
