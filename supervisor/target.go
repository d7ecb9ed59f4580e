package supervisor

import (
	"errors"
	"strconv"

	"golang.org/x/sys/unix"
)

// target is where the output of the program goes: one of the caller's
// descriptors, shared with processes that we know nothing of. So its flags are
// never changed, and no write may block on a reader that does not read.
type target struct {
	fd    int
	kind  descriptorKind
	stop  *event // ends a wait
	chunk int    // most bytes for one write
	owned bool   // fd is ours

	splices bool // splice(2) works and never blocks
}

// gone is whether an error says that nobody reads any more: EIO is that of a terminal
// whose other end is closed (tty_write in drivers/tty/tty_io.c).
func (t *target) gone(err error) bool {
	return errors.Is(err, unix.EPIPE) || t.kind == kindTerminal && errors.Is(err, unix.EIO)
}

// errNoSplice says that splice(2) cannot write to a target.
var errNoSplice = errors.New("splice does not work here")

// newTarget prepares d for writing.
func newTarget(d descriptor, stop *event) *target {
	t := &target{fd: d.fd, kind: d.kind, stop: stop, chunk: copySize}
	switch d.kind {
	case kindFile, kindNull:
		t.splices = true
	case kindPipe:
		t.splices = true
		t.chunk = 4096 // pipe(7): POLLOUT promises room for PIPE_BUF bytes
	case kindTerminal:
		if fd, err := reopen(d.fd, unix.O_WRONLY); err == nil {
			t.fd, t.owned = fd, true
		} else {
			t.chunk = 256 // tty_poll: POLLOUT promises WAKEUP_CHARS bytes of room, nearly
		}
	default:
	}
	return t
}

// reopen opens the object behind fd again, so that non-blocking mode is ours
// alone. It fails where /proc is missing or the caller may not open it.
func reopen(fd, access int) (int, error) {
	path := "/proc/self/fd/" + strconv.Itoa(fd)
	return unix.Open(path, access|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
}

// splice moves up to n bytes from a pipe to the target without copying them. It
// returns 0 if the pipe is empty. (To a socket splice(2) blocks whatever its
// flags say, so a socket is written to.)
func (t *target) splice(pipe int, n int64) (int64, error) {
	for {
		moved, err := unix.Splice(pipe, nil, t.fd, nil, int(n), unix.SPLICE_F_MOVE|unix.SPLICE_F_NONBLOCK)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if available(pipe) == 0 {
				return 0, nil
			}
			if err := t.wait(); err != nil {
				return 0, err
			}
		// splice(2): EINVAL for a file open for appending; EPERM and ENOSYS are
		// a seccomp filter's.
		case errors.Is(err, unix.EINVAL), errors.Is(err, unix.EPERM), errors.Is(err, unix.ENOSYS):
			return 0, errNoSplice
		default:
			return moved, err
		}
	}
}

// write writes all of p.
func (t *target) write(p []byte) error {
	for len(p) > 0 {
		n, err := t.attempt(p[:min(len(p), t.chunk)])
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if err := t.wait(); err != nil {
				return err
			}
		case err != nil:
			return err
		default:
			p = p[n:]
		}
	}
	return nil
}

func (t *target) attempt(p []byte) (int, error) {
	switch t.kind {
	case kindSocket:
		return unix.SendmsgN(t.fd, p, nil, nil, unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL)
	case kindFile, kindNull:
	default:
		if err := t.wait(); err != nil {
			return 0, err
		}
	}
	return unix.Write(t.fd, p)
}

// wait waits until the target takes more.
func (t *target) wait() error {
	_, err := await(t.fd, unix.POLLOUT, t.stop, -1)
	return err
}

func (t *target) close() {
	if t.owned {
		_ = unix.Close(t.fd)
	}
}
