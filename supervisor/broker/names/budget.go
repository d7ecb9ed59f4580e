package names

import "sync"

// Budget bounds what a program can tell the world by asking for names: without
// one, every label of a lookup would be a message to whoever runs the domain.
type Budget struct {
	Names int   // distinct names per run; 0 is none
	Bytes int64 // bytes of their labels per run; 0 is none
}

// ledger holds a run to its budget. A name that was paid for is free again.
type ledger struct {
	mu     sync.Mutex
	budget Budget
	paid   map[string]bool
	bytes  int64
}

func (l *ledger) spend(name string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.paid[name] {
		return true
	}
	if len(l.paid) >= l.budget.Names || l.bytes+int64(len(name)) > l.budget.Bytes {
		return false
	}
	if l.paid == nil {
		l.paid = map[string]bool{}
	}
	l.paid[name] = true
	l.bytes += int64(len(name))
	return true
}
