package host

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// OwnDir is an open directory of one user that no other can look into. What is
// kept there for later runs costs time when it is missing, and nothing else.
type OwnDir struct{ fd int }

// MakeOwnDir makes a directory of the effective user's where there is none, and
// opens it.
func MakeOwnDir(path string) (OwnDir, error) {
	if err := os.MkdirAll(path, 0o700); err != nil {
		return OwnDir{-1}, err
	}
	return openOwnDir(path, os.Geteuid())
}

// openOwnDir opens a directory of uid's. One that is somebody else's or open to
// others is refused with ErrUntrusted: HOME may be anywhere, and what is read there
// decides what a sandbox can see.
func openOwnDir(path string, uid int) (OwnDir, error) {
	fd, err := unix.Open(path, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return OwnDir{-1}, err
	}
	var stat unix.Stat_t
	err = unix.Fstat(fd, &stat)
	if err == nil && (int(stat.Uid) != uid || stat.Mode&0o077 != 0) {
		err = ErrUntrusted
	}
	if err != nil {
		unix.Close(fd)
		return OwnDir{-1}, err
	}
	return OwnDir{fd}, nil
}

// Close closes the directory.
func (d OwnDir) Close() { unix.Close(d.fd) }

// Read reads a file of at most limit bytes.
func (d OwnDir) Read(name string, limit int64) ([]byte, error) { return readSmall(d.fd, name, limit) }

// Replace writes a file as ReplaceFile does.
func (d OwnDir) Replace(name string, content []byte) error {
	root, err := d.root()
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	return ReplaceFile(root, name, 0o600, content)
}

func (d OwnDir) root() (*os.Root, error) { return os.OpenRoot(fmt.Sprintf("/proc/self/fd/%d", d.fd)) }
