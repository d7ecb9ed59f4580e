package capability

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// flow is one direction of a relay.
type flow struct {
	from, to int
	buf      []byte
	frame    []byte    // what is on its way, in buf
	until    time.Time // when the next frame may be read or this one passed on
	paused   bool      // until is yet to come
}

func newFlow(from, to int) flow {
	f := flow{from: from, to: to}
	if from >= 0 {
		f.buf = make([]byte, MaxFrame+1)
	}
	return f
}

// empty reports whether nothing is on its way.
func (f *flow) empty() bool { return f.frame == nil }

// stop ends a direction.
func (f *flow) stop() { f.from, f.frame = -1, nil }

// pass reads a frame, if none is on its way, and passes it on, if look says so and
// there is room. It reports whether either was done; nothing waits.
func (f *flow) pass(look func([]byte) (bool, error)) (bool, error) {
	if f.from < 0 {
		return false, nil
	}
	if f.paused = !f.until.IsZero() && time.Now().Before(f.until); f.paused {
		return false, nil
	}
	read := false
	if f.empty() {
		n, err := receive(f.from, f.buf)
		if n <= 0 || err != nil {
			return false, err
		}
		passOn, err := look(f.buf[:n])
		if err != nil || !passOn {
			return true, err
		}
		f.frame, read = f.buf[:n], true
		if f.paused = !f.until.IsZero() && time.Now().Before(f.until); f.paused {
			return true, nil
		}
	}
	switch err := unix.Send(f.to, f.frame, unix.MSG_NOSIGNAL|unix.MSG_DONTWAIT); {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return read, nil
	case err != nil:
		return read, errDeaf // the other side has gone, and says why itself
	}
	f.frame = nil
	return true, nil
}

// receive reads one frame if there is one; -1 bytes if there is none, and errEnd at
// the end of the conversation, which an empty frame is too. There is no control
// buffer, so descriptors that a guest sends are closed by the kernel before anybody
// sees them (unix(7)).
func receive(fd int, buf []byte) (int, error) {
	n, _, err := unix.Recvfrom(fd, buf, unix.MSG_DONTWAIT)
	switch {
	case errors.Is(err, unix.EAGAIN), errors.Is(err, unix.EINTR):
		return -1, nil
	case errors.Is(err, unix.ECONNRESET), err == nil && n == 0:
		return 0, errEnd
	case err != nil:
		return 0, fmt.Errorf("receive on the capability channel: %w", err)
	}
	return n, nil
}
