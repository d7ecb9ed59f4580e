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
	interrupt     func()
	greeted       atomic.Bool  // the guest has said Hello
	cancelled     atomic.Int32 // Cancel frames that nobody was interrupted for
	closing       sync.Once
	closed        chan struct{} // Close was called
}

// New returns a relay that owns both sockets. Notes go to sink. After a Cancel of
// the client's, interrupt is called: a guest that computes reads no frames, so
// something else must make it look. Before its Hello a guest is not interrupted, as
// it would end; it is then.
func New(guest, client int, sink audit.Sink, interrupt func()) *Relay {
	return &Relay{guest: guest, client: client, sink: sink, interrupt: interrupt, closed: make(chan struct{})}
}

// Run passes frames until one side is gone or Close is called. An error that
// wraps ErrFrame means that the guest sent what no guest of ours does.
func (r *Relay) Run() error {
	defer r.Close()
	var back sync.WaitGroup
	if r.client >= 0 {
		back.Go(r.toGuest)
	}
	err := r.fromGuest()
	r.Close()
	back.Wait()
	_ = unix.Close(r.guest)
	if r.client >= 0 {
		_ = unix.Close(r.client)
	}
	return err
}

// Close ends Run from any goroutine, once Run has begun.
func (r *Relay) Close() {
	r.closing.Do(func() {
		close(r.closed)
		_ = unix.Shutdown(r.guest, unix.SHUT_RDWR)
		if r.client >= 0 {
			_ = unix.Shutdown(r.client, unix.SHUT_RDWR)
		}
	})
}

// fromGuest reads with no control buffer, so descriptors that a guest sends are
// closed by the kernel before anybody sees them (unix(7)).
func (r *Relay) fromGuest() error {
	buf := make([]byte, MaxFrame+1)
	pace := newPace(time.Now())
	for {
		n, err := receive(r.guest, buf)
		if err != nil || n == 0 {
			return err
		}
		kind, err := kindOf(buf[:n])
		if err != nil {
			return err
		}
		if wait := pace.take(time.Now(), n); wait > 0 {
			select {
			case <-time.After(wait):
			case <-r.closed:
				return nil
			}
		}
		switch {
		case kind == Note:
			record, err := readNote(buf[:n], time.Now())
			if err != nil {
				return err
			}
			r.sink.Record(record)
		case kind == Welcome || r.client < 0:
			return fmt.Errorf("%w: kind %d is not for the guest to send", ErrFrame, kind)
		default:
			if !r.greeted.Load() { // Hello is the first frame of a client's guest
				r.greeted.Store(true)
				r.look()
			}
			if unix.Send(r.client, buf[:n], unix.MSG_NOSIGNAL) != nil {
				return nil // the client has gone, and says why itself
			}
		}
	}
}

// toGuest ends when the client is gone, which ends the guest's reading too. The
// client may send nothing but frames either.
func (r *Relay) toGuest() {
	defer r.Close()
	buf := make([]byte, MaxFrame+1)
	for {
		n, err := receive(r.client, buf)
		if err != nil || n == 0 || n > MaxFrame {
			return
		}
		if unix.Send(r.guest, buf[:n], unix.MSG_NOSIGNAL) != nil {
			return
		}
		if kind, err := kindOf(buf[:n]); err == nil && kind == Cancel {
			r.cancelled.Add(1)
			if r.greeted.Load() {
				r.look()
			}
		}
	}
}

// look interrupts the guest for the Cancel frames that it has been sent. Of the two
// directions one does, whichever comes first.
func (r *Relay) look() {
	if r.cancelled.Swap(0) > 0 {
		r.interrupt()
	}
}

// receive blocks for one frame. It returns 0 at the end of the conversation; an
// empty frame is one too.
func receive(fd int, buf []byte) (int, error) {
	for {
		n, _, err := unix.Recvfrom(fd, buf, 0)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case errors.Is(err, unix.ECONNRESET):
			return 0, nil
		case err != nil:
			return 0, fmt.Errorf("receive on the capability channel: %w", err)
		}
		return n, nil
	}
}
