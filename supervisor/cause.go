package supervisor

import (
	"sync"
	"syscall"
)

// CauseKind says who ended a run.
type CauseKind uint8

// The causes. The zero value means that the program ended by itself.
const (
	CauseNone      CauseKind = iota
	CauseWall                // limits.wall
	CauseCPU                 // limits.cpu
	CauseMemory              // limits.memory
	CauseOutput              // limits.output
	CauseViolation           // killed for what it tried; Detail says what
	CauseSignal              // the operator's Signal ended the run
	CauseCanceled            // the caller gave up
	CauseSetup               // the sandbox could not be made; Err
	CauseInternal            // pysandbox itself failed; Err
)

// Cause is why the supervisor ended a run.
type Cause struct {
	Kind   CauseKind
	Signal syscall.Signal // CauseSignal
	Detail string         // CauseViolation
	Err    error          // CauseSetup, CauseInternal
	Status int            // CauseSetup: the exit status, 0 for 125
}

// FirstCause keeps the first cause that it is given: the one that ended the
// run, whatever its end set off. The zero value is ready; it is safe for
// concurrent use.
type FirstCause struct {
	mu    sync.Mutex
	cause Cause
}

// Set records c unless there is a cause already. It reports whether c was the
// first. CauseNone is never recorded.
func (f *FirstCause) Set(c Cause) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	if c.Kind == CauseNone || f.cause.Kind != CauseNone {
		return false
	}
	f.cause = c
	return true
}

// Get returns the first cause, or the zero Cause.
func (f *FirstCause) Get() Cause {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.cause
}
