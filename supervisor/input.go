package supervisor

import (
	"errors"

	"golang.org/x/sys/unix"
)

// input pumps one of the caller's descriptors into the program's standard
// input, when that may not be handed over itself. It reads ahead by what a pipe
// holds at most.
type input struct {
	source int // the caller's
	fd     int // our end of the program's pipe; non-blocking
	stop   *event
}

// run pumps until either side has ended or stop is set, then closes our end so
// that the program sees the end of its input.
func (in *input) run() {
	defer func() { _ = unix.Close(in.fd) }()
	buf := make([]byte, copySize)
	for {
		if _, err := await(in.source, unix.POLLIN, in.stop, -1); err != nil {
			return
		}
		n, err := read(in.source, buf)
		if errors.Is(err, unix.EAGAIN) {
			continue
		}
		if err != nil || n == 0 { // EISDIR too: a directory reads as empty
			return
		}
		if writeAll(in.fd, buf[:n], in.stop) != nil {
			return
		}
	}
}

// writeAll writes all of p to a descriptor that does not block.
func writeAll(fd int, p []byte, stop *event) error {
	for len(p) > 0 {
		n, err := unix.Write(fd, p)
		switch {
		case errors.Is(err, unix.EINTR):
		case errors.Is(err, unix.EAGAIN):
			if _, err := await(fd, unix.POLLOUT, stop, -1); err != nil {
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
