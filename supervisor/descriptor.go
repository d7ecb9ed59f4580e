package supervisor

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"
)

// descriptorKind says what a caller's descriptor 0, 1 or 2 is.
type descriptorKind uint8

const (
	kindOther descriptorKind = iota // a device, a directory, ...
	kindClosed
	kindNull // /dev/null
	kindPipe // or FIFO
	kindFile // regular
	kindSocket
	kindTerminal
)

// descriptor is one of the caller's descriptors.
type descriptor struct {
	fd     int
	kind   descriptorKind
	flags  int // fcntl(F_GETFL)
	device uint64
	inode  uint64
	offset int64 // of a regular file
}

// describe looks at fd without changing it.
func describe(fd int) (descriptor, error) {
	d := descriptor{fd: fd}
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		if errors.Is(err, unix.EBADF) {
			d.kind = kindClosed
			return d, nil
		}
		return d, fmt.Errorf("stat descriptor %d: %w", fd, err)
	}
	flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFL, 0)
	if err != nil {
		return d, fmt.Errorf("read the flags of descriptor %d: %w", fd, err)
	}
	d.flags, d.device, d.inode = flags, st.Dev, st.Ino
	switch st.Mode & unix.S_IFMT {
	case unix.S_IFIFO:
		d.kind = kindPipe
	case unix.S_IFREG:
		d.kind = kindFile
		d.offset, _ = unix.Seek(fd, 0, unix.SEEK_CUR)
	case unix.S_IFSOCK:
		d.kind = kindSocket
	case unix.S_IFCHR:
		if st.Rdev == unix.Mkdev(1, 3) { // Documentation/admin-guide/devices.txt
			d.kind = kindNull
		} else if isTerminal(fd) {
			d.kind = kindTerminal
		}
	}
	return d, nil
}

func isTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// readOnly is true if the descriptor was opened for reading alone.
func (d descriptor) readOnly() bool {
	return d.flags&unix.O_ACCMODE == unix.O_RDONLY && d.flags&unix.O_PATH == 0
}

// same is true if writing to d and writing to e comes to the same: what a shell
// makes of 2>&1. Two openings of one file have each their own offset.
func (d descriptor) same(e descriptor) bool {
	return d.kind == e.kind && d.kind != kindClosed && d.device == e.device &&
		d.inode == e.inode && d.flags == e.flags && d.offset == e.offset
}
