package supervisor

import (
	"context"
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// ErrStalled is returned by Drain when the caller's side did not take the
// program's output in time.
var ErrStalled = errors.New("the reader of the output does not read")

// Start begins to pump and takes the caller's terminal into raw mode. When the
// program has written more than limit bytes to descriptors 1 and 2 together
// (0 is no limit), exactly limit bytes have been passed on and exceeded is
// called once, in the pump's goroutine; it must not wait for the pumps.
func (s *Stdio) Start(limit int64, exceeded func()) {
	s.budget.limit, s.budget.over = limit, exceeded
	if s.Terminal != nil {
		s.Terminal.Resume()
		if s.Terminal.input {
			s.pumps.Go(s.Terminal.pumpInput)
		}
	}
	for _, o := range s.outputs {
		s.pumps.Go(o.run)
	}
	if s.input != nil {
		s.pumps.Go(s.input.run)
		s.input = nil
	}
}

// Written is how many bytes the program has written.
func (s *Stdio) Written() int64 { return s.budget.total() }

// grace is how long a pump may take to see that it shall end. Only a device
// that blocks in write(2) needs more; its pump is then left behind.
const grace = 200 * time.Millisecond

// Drain passes on what the program has written, without waiting for the end of
// its pipes, and ends the pumps. The program must have ended, and the rest of
// its tree must be ending. When ctx is done before the caller's side has taken
// everything, the rest is lost and Drain returns ErrStalled. Otherwise it returns
// the first error of a descriptor, but for that of a reader that has gone away.
func (s *Stdio) Drain(ctx context.Context) error {
	s.stopIn.set()
	if s.Terminal != nil {
		s.Terminal.end()
	}
	for _, o := range s.outputs {
		o.finish()
	}
	if !s.joined(ctx, 0) {
		s.stop.set()
		s.joined(context.Background(), grace)
		return ErrStalled
	}
	for _, o := range s.outputs {
		if o.failure != nil && !o.target.gone(o.failure) {
			return fmt.Errorf("pass on the program's output: %w", o.failure)
		}
	}
	return nil
}

// Close restores the caller's terminal and releases everything. It is safe at
// any time, more than once, and deferred: the terminal must come back whatever
// happens.
func (s *Stdio) Close() {
	if s.Terminal != nil {
		s.Terminal.end()
		s.Terminal.Restore()
	}
	s.CloseChild()
	if s.input != nil { // never started
		_ = unix.Close(s.input.fd)
		s.input = nil
	}
	for _, e := range []*event{s.stop, s.stopIn} {
		if e != nil {
			e.set()
		}
	}
	for _, o := range s.outputs {
		o.finish()
	}
	if s.joined(context.Background(), grace) {
		s.release()
	}
}

// release closes what the pumps used; they have ended.
func (s *Stdio) release() {
	for _, o := range s.outputs {
		o.close()
	}
	if s.screen != nil { // never attached
		s.screen.close()
	}
	if s.Terminal != nil {
		s.Terminal.release()
	}
	for _, e := range []*event{s.stop, s.stopIn} {
		if e != nil {
			e.close()
		}
	}
	s.outputs, s.screen, s.Terminal, s.stop, s.stopIn = nil, nil, nil, nil, nil
}

// joined waits for the pumps until ctx is done or, if patience is positive,
// for so long, and reports whether they have ended. A moment at which this process
// does not run counts as one tick, since the pumps have not run then either.
func (s *Stdio) joined(ctx context.Context, patience time.Duration) bool {
	done := make(chan struct{})
	go func() {
		s.pumps.Wait()
		close(done)
	}()
	var tick <-chan time.Time
	const ticks = 20
	if patience > 0 {
		ticker := time.NewTicker(patience / ticks)
		defer ticker.Stop()
		tick = ticker.C
	}
	for left := ticks; left > 0; left-- {
		select {
		case <-done:
			return true
		case <-ctx.Done():
			return false
		case <-tick:
		}
	}
	return false
}
