package capability

import (
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// shortly is how long a relay looks out for the next frame before it sleeps, if the
// one that followed the like of the last one came within that time. To be woken takes
// some 5 µs, and 50 in a virtual machine whose processor sleeps too, twice for each
// call; meanwhile whoever else can use the processor gets it. It is for calls and
// their answers alone, of which the other side has its part, and not where there is
// one processor.
const shortly = 200 * time.Microsecond

// A guest that calls without a pause has no more than a fourth of a processor looked
// out for it, once it has used up what it had for a second: what is more is slept.
const (
	lookShare = 4
	lookMost  = time.Second
)

// waiting is for what a relay does while there is nothing to pass. The zero value
// sleeps at once.
type waiting struct {
	relay *Relay
	since time.Time // zero if it does not wait
	looks bool      // it looks out
	soon  [2]bool   // whether the next frame came shortly, by the direction of the last one
	last  direction // of the frame before this wait

	room   time.Duration // that it may look out
	roomAt time.Time     // when that was so much
}

// over notes that a frame was passed.
func (w *waiting) over(now time.Time) {
	if !w.since.IsZero() {
		w.soon[w.last] = now.Sub(w.since) < shortly
		w.lookAway(now)
		w.since = time.Time{}
	}
	w.last = w.relay.last
}

// some waits for some time; there need not be anything to pass then.
func (w *waiting) some(now time.Time) error {
	if w.since.IsZero() {
		w.since = now
		w.looks = w.mayLook(now) && runtime.NumCPU() > 1
	}
	if w.looks && now.Sub(w.since) < shortly {
		_, _, _ = unix.RawSyscall(unix.SYS_SCHED_YIELD, 0, 0, 0)
		return nil
	}
	w.lookAway(now)
	return w.sleep(now)
}

// mayLook is whether it is worth it to look out in the wait that begins.
func (w *waiting) mayLook(now time.Time) bool {
	w.room = min(lookMost, w.room+now.Sub(w.roomAt)/lookShare)
	w.roomAt = now
	return w.soon[w.last] && w.relay.talks && w.room >= shortly
}

// lookAway ends the looking out of this wait.
func (w *waiting) lookAway(now time.Time) {
	if w.looks {
		w.looks = false
		w.room -= now.Sub(w.since)
	}
}

// sleep waits for a side that has something or takes something.
func (w *waiting) sleep(now time.Time) error {
	r := w.relay
	sides := []unix.PollFd{
		side(r.guest, &r.up, &r.down),
		side(r.client, &r.down, &r.up),
	}
	timeout := -1
	if r.up.paused {
		timeout = 1 + int(r.up.until.Sub(now)/time.Millisecond)
	}
	if _, err := unix.Poll(sides, timeout); err != nil && !errors.Is(err, unix.EINTR) {
		return fmt.Errorf("wait on the capability channel: %w", err)
	}
	return nil
}

// side says what to wait for at a socket. One of which nothing is wanted is left
// out: it would say again and again that it has hung up.
func side(fd int, in, out *flow) unix.PollFd {
	p := unix.PollFd{Fd: int32(fd)}
	if in.empty() && !in.paused {
		p.Events |= unix.POLLIN
	}
	if !out.empty() && !out.paused {
		p.Events |= unix.POLLOUT
	}
	if p.Events == 0 {
		p.Fd = -1
	}
	return p
}
