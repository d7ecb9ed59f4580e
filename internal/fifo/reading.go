package fifo

import (
	"bytes"
	"errors"
	"io"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// ErrNoWriter is why a FIFO cannot be read.
var ErrNoWriter = errors.New("no process writes to this FIFO; start its writer first")

// Read reads at most limit bytes of what the writers of a FIFO write, and waits for the
// first of them no longer than Patience.
func Read(path string, limit int64) ([]byte, error) {
	fd, err := unix.Open(path, unix.O_RDONLY|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	first, err := awaitWriter(fd)
	if err == nil {
		err = unix.SetNonblock(fd, false)
	}
	file := os.NewFile(uintptr(fd), path)
	defer file.Close()
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(io.MultiReader(bytes.NewReader(first), file), limit))
}

// awaitWriter returns when a FIFO has had a writer, with what it has read of it.
func awaitWriter(fd int) (first []byte, err error) {
	ready := 0
	for begun := time.Now(); ; {
		left := max(0, Patience-time.Since(begun))
		ready, err = unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(left.Milliseconds()))
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	if ready > 0 || err != nil {
		return nil, err
	}
	first = make([]byte, 1)
	n, err := unix.Read(fd, first) // EAGAIN where there is a writer
	switch {
	case errors.Is(err, unix.EAGAIN):
		return nil, nil
	case err == nil && n == 0:
		return nil, ErrNoWriter
	}
	return first[:max(n, 0)], err
}
