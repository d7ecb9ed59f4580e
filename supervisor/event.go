package supervisor

import (
	"errors"
	"fmt"
	"time"

	"golang.org/x/sys/unix"
)

// event is a flag that poll(2) can wait for: an eventfd(2).
type event struct{ fd int }

func newEvent() (*event, error) {
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return nil, fmt.Errorf("make an event: %w", err)
	}
	return &event{fd: fd}, nil
}

// set raises the flag; everybody who waits sees it until clear.
func (e *event) set() {
	one := [8]byte{1}
	_, _ = unix.Write(e.fd, one[:]) // EAGAIN: it is raised already
}

func (e *event) clear() {
	var count [8]byte
	_, _ = unix.Read(e.fd, count[:]) // EAGAIN: it was not raised
}

func (e *event) close() { _ = unix.Close(e.fd) }

// errStop says that a wait ended because its event was set.
var errStop = errors.New("stopped")

// await waits until fd is ready for what (unix.POLLIN or unix.POLLOUT), or has
// failed, which the next call on it will tell; until stop is set, for errStop;
// or until timeout has passed, for ready == false. A negative timeout is none,
// and a negative fd waits for stop alone.
func await(fd int, what int16, stop *event, timeout time.Duration) (ready bool, err error) {
	fds := []unix.PollFd{{Fd: int32(stop.fd), Events: unix.POLLIN}, {Fd: int32(fd), Events: what}}
	for {
		ms := -1
		if timeout >= 0 {
			ms = int(timeout.Milliseconds())
		}
		_, err := unix.Poll(fds, ms)
		switch {
		case errors.Is(err, unix.EINTR):
			continue
		case err != nil:
			return false, fmt.Errorf("poll: %w", err)
		case fds[0].Revents != 0:
			return false, errStop
		}
		return fds[1].Revents != 0, nil
	}
}
