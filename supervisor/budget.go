package supervisor

import "sync"

// budget counts the bytes that the program has written, over all its outputs,
// and holds them to a limit.
type budget struct {
	mu    sync.Mutex
	used  int64
	limit int64  // 0 is none
	over  func() // called once, when more than limit was written
}

// take asks to pass on n bytes and returns how many may pass.
func (b *budget) take(n int64) int64 {
	allowed, over := b.reserve(n)
	if over != nil {
		over()
	}
	return allowed
}

func (b *budget) reserve(n int64) (allowed int64, over func()) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.limit == 0 || b.used+n <= b.limit {
		b.used += n
		return n, nil
	}
	allowed = max(b.limit-b.used, 0)
	b.used += allowed
	over, b.over = b.over, nil
	return allowed, over
}

func (b *budget) total() int64 {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.used
}
