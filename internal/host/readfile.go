package host

import (
	"errors"

	"golang.org/x/sys/unix"
)

// readSmall reads a regular file of at most limit bytes without following a last
// symlink. It spares the system calls by which package os prepares a file for
// polling: some of these files are read at every start.
func readSmall(dir int, path string, limit int64) ([]byte, error) {
	fd, err := unix.Openat(dir, path, unix.O_RDONLY|unix.O_CLOEXEC|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer unix.Close(fd)
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		return nil, err
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFREG {
		return nil, unix.EINVAL
	}
	if stat.Size > limit {
		return nil, unix.EFBIG
	}
	data := make([]byte, stat.Size)
	for n := 0; n < len(data); {
		got, err := unix.Read(fd, data[n:])
		switch {
		case errors.Is(err, unix.EINTR):
		case err != nil:
			return nil, err
		case got == 0: // it was cut short meanwhile
			return data[:n], nil
		default:
			n += got
		}
	}
	return data, nil
}
