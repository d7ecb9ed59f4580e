package broker

import (
	"bytes"
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// pageSize divides the page size of every machine that the filter knows.
const pageSize = 4096

// copyIn copies exactly len(buf) bytes of the caller's memory. What is decided
// and done later uses this copy; the caller may change the original at once.
func (b *Broker) copyIn(req *request, address uint64, buf []byte) syscall.Errno {
	if errno := copyUnsettled(req, address, buf); errno != 0 {
		return errno
	}
	return b.settle(req)
}

// copyUnsettled is copyIn where the thread id may belong to another by now. What
// it gives must not be used before settle or take has found the caller alive.
func copyUnsettled(req *request, address uint64, buf []byte) syscall.Errno {
	n, errno := readGuest(int(req.PID), address, buf)
	if errno == 0 && n != len(buf) {
		return unix.EFAULT
	}
	return errno
}

// settle makes sure that the call still waits, and so that whatever was asked of
// its thread until now was asked of the right one.
func (b *Broker) settle(req *request) syscall.Errno {
	if !b.listener.valid(req.ID) {
		return unix.ESRCH
	}
	return 0
}

// copyString copies a string of at most limit bytes with its NUL, which is not
// returned. Reads end at page borders, as the string may end at the last page.
func (b *Broker) copyString(req *request, address uint64, limit int) (string, syscall.Errno) {
	buf := make([]byte, 0, 256)
	for len(buf) < limit {
		size := min(pageSize-int(address%pageSize), limit-len(buf))
		chunk := make([]byte, size)
		n, errno := readGuest(int(req.PID), address, chunk)
		if errno != 0 {
			return "", errno
		}
		if end := bytes.IndexByte(chunk[:n], 0); end >= 0 {
			return string(append(buf, chunk[:end]...)), b.settle(req)
		}
		if n < size {
			return "", unix.EFAULT
		}
		buf = append(buf, chunk...)
		address += uint64(size)
	}
	return "", unix.ENAMETOOLONG
}

// copyInt copies one int of the caller's memory.
func (b *Broker) copyInt(req *request, address uint64) (int32, syscall.Errno) {
	var buf [4]byte
	errno := b.copyIn(req, address, buf[:])
	return int32(binary.NativeEndian.Uint32(buf[:])), errno
}
