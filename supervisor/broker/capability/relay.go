package capability

import (
	"errors"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
)

// Relay passes frames between a guest and the host's client. One frame of each
// direction is in memory at a time: a side that does not read makes the other
// wait, and nobody else.
type Relay struct {
	guest, client int // SOCK_SEQPACKET; client is -1 if nobody holds capabilities
	sink          audit.Sink
	may           Suggestions
	interrupt     func()
	up, down      flow // from the guest, to the guest
	pace          *pace
	last          direction
	talks         bool // the last frame was a call or an answer
	greeted       bool // the guest has said Hello
	cancels       bool // what is on its way to the guest is a Cancel
	cancelled     bool // the guest was sent a Cancel and not interrupted
	left          bool // the client has gone
	closing       sync.Once
	closed        atomic.Bool // both sockets, by us
}

// direction is one of the two of a relay.
type direction int

const (
	upward   direction = iota // from the guest
	downward                  // to the guest
)

// ErrLeft means that the client has gone, and the guest may not have noticed.
var ErrLeft = errors.New("the client has left")

// What ends Run: there is nothing more to come from a side, or that side takes
// nothing more.
var (
	errEnd  = errors.New("one side is gone")
	errDeaf = fmt.Errorf("%w: the one that a frame was for", errEnd)
)

// New returns a relay that owns both sockets. Notes go to sink, with hints of what
// may be suggested. After a Cancel of
// the client's, interrupt is called: a guest that computes reads no frames, so
// something else must make it look. Before its Hello a guest is not interrupted, as
// it would end; it is then.
func New(guest, client int, sink audit.Sink, may Suggestions, interrupt func()) *Relay {
	return &Relay{
		guest: guest, client: client, sink: sink, may: may, interrupt: interrupt,
		up: newFlow(guest, client), down: newFlow(client, guest),
	}
}

// Run passes frames until one side is gone or Close is called. An error that
// wraps ErrFrame means that the guest sent what no guest of ours does; ErrLeft that
// it was the client that has gone.
func (r *Relay) Run() error {
	r.pace = newPace(time.Now())
	defer func() {
		r.Close()
		_ = unix.Close(r.guest)
		if r.client >= 0 {
			_ = unix.Close(r.client)
		}
	}()
	wait := waiting{relay: r}
	for {
		passed, err := r.pass()
		switch {
		case errors.Is(err, errEnd) && r.left:
			return ErrLeft
		case errors.Is(err, errEnd):
			return nil
		case err != nil:
			return err
		}
		if passed {
			wait.over(time.Now())
		} else if err := wait.some(time.Now()); err != nil {
			return err
		}
	}
}

// Close ends Run from any goroutine, once Run has begun.
func (r *Relay) Close() {
	r.closing.Do(func() {
		r.closed.Store(true)
		_ = unix.Shutdown(r.guest, unix.SHUT_RDWR)
		if r.client >= 0 {
			_ = unix.Shutdown(r.client, unix.SHUT_RDWR)
		}
	})
}

// pass takes each direction as far as it goes without waiting, by a frame at most,
// and reports whether any went on.
func (r *Relay) pass() (bool, error) {
	up, err := r.up.pass(r.fromGuest)
	if err != nil {
		r.left = r.left || errors.Is(err, errDeaf) && !r.closed.Load()
		return up, err
	}
	down, err := r.down.pass(r.fromClient)
	if errors.Is(err, errEnd) { // what the guest has sent until now is still taken
		r.left = !errors.Is(err, errDeaf) && !r.closed.Load()
		r.Close()
		r.down.stop()
		return true, nil
	}
	if r.cancels && r.down.empty() {
		r.cancels, r.cancelled = false, true
		r.look()
	}
	switch {
	case down:
		r.last = downward
	case up:
		r.last = upward
	}
	return up || down, err
}

// fromGuest looks at a frame of the guest's, before it is passed on.
func (r *Relay) fromGuest(frame []byte) (passOn bool, err error) {
	kind, err := kindOf(frame)
	if err != nil {
		return false, err
	}
	r.talks = talks(kind)
	now := time.Now()
	r.up.until = now.Add(r.pace.take(now, len(frame)))
	switch {
	case kind == Note:
		record, err := readNote(frame, now, r.may)
		if err != nil {
			return false, err
		}
		r.sink.Record(record)
		return false, nil
	case kind == Welcome || r.client < 0:
		return false, fmt.Errorf("%w: kind %d is not for the guest to send", ErrFrame, kind)
	}
	if !r.greeted { // Hello is the first frame of a client's guest
		r.greeted = true
		r.look()
	}
	return true, nil
}

// fromClient looks at a frame of the client's, which may send nothing but frames
// either, before it is passed on.
func (r *Relay) fromClient(frame []byte) (passOn bool, err error) {
	if len(frame) > MaxFrame {
		return false, errEnd
	}
	kind, err := kindOf(frame)
	r.cancels = err == nil && kind == Cancel
	r.talks = err == nil && talks(kind)
	return true, nil
}

// look interrupts the guest for the Cancel frames that it has been sent.
func (r *Relay) look() {
	if r.cancelled && r.greeted {
		r.cancelled = false
		r.interrupt()
	}
}
