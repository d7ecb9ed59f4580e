package broker

import (
	"encoding/binary"
	"path"
	"slices"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/errnos"
)

// connectPath connects a local socket to a path. The caller's mounts may hold
// sockets of the host, which neither a read-only mount nor Landlock keeps from
// being connected to, so only sockets on the sandbox's own file systems and
// those that the policy names are reached.
func (b *Broker) connectPath(req *request, s *socket, d destination) reply {
	return b.offload(req, s, func(s *socket) reply {
		fd := s.fd
		return b.atSocket(req, s, d, "connect", !isNonblocking(fd), func(to []byte) reply {
			return performed(0, withoutBlocking(fd, func() syscall.Errno { return queueFull(connectShared(fd, to)) }))
		})
	})
}

// sendPath sends a datagram of a local socket to a path.
func (b *Broker) sendPath(req *request, s *socket, d destination, flags int) reply {
	data, errno := b.copyData(req, s)
	if errno != 0 {
		return performed(-1, errno)
	}
	return b.offload(req, s, func(s *socket) reply {
		fd := s.fd
		return b.atSocket(req, s, d, "sendto", waits(fd, flags), func(to []byte) reply {
			return sendNow(fd, data, flags, to)
		})
	})
}

// atSocket finds the socket that a path means and makes an attempt at its
// address, again and again if the caller waits. It runs in the pool.
func (b *Broker) atSocket(req *request, s *socket, d destination, operation string, wait bool, attempt func([]byte) reply) reply {
	target, errno := b.findSocket(req, d, operation)
	if errno != 0 {
		return performed(-1, errno)
	}
	to := localAddress(procFD(target))
	r := attempt(to.bytes())
	if r.errno == unix.EAGAIN && wait {
		return b.pending.retry(b, req, s, func() reply { return attempt(to.bytes()) }, target)
	}
	closeFD(target)
	return r
}

// findSocket opens (O_PATH) the socket that a path means to the caller, if the
// caller may reach it, and notes the decision. It runs in the pool.
func (b *Broker) findSocket(req *request, d destination, operation string) (int, syscall.Errno) {
	target := "unix:" + d.path
	if named := path.Clean(d.path); slices.Contains(b.tree.sockets, named) {
		fd, err := unix.Open(named, unix.O_PATH|unix.O_CLOEXEC, 0)
		req.record = b.entry(req, audit.Allow, operation, target, ruleUnix)
		return fd, errnos.Of(err)
	}
	fd, errno := b.tree.resolve(int(req.PID), "cwd", d.path)
	if errno != 0 {
		return -1, errno
	}
	var stat unix.Stat_t
	if err := unix.Fstat(fd, &stat); err != nil {
		closeFD(fd)
		return -1, errnos.Of(err)
	}
	if stat.Mode&unix.S_IFMT != unix.S_IFSOCK {
		closeFD(fd)
		return -1, unix.ECONNREFUSED // as the kernel says
	}
	private, errno := b.tree.isPrivate(int(req.PID), stat.Dev, func() syscall.Errno { return b.settle(req) })
	if errno != 0 {
		closeFD(fd)
		return -1, errno
	}
	if !private {
		req.record = b.denial(req, operation, target, ruleUnix)
		req.record.Hint = unixHint(fd)
		closeFD(fd)
		return -1, b.rules.errno
	}
	b.inside(req, operation, target)
	return fd, 0
}

// localAddress is the address of a path.
func localAddress(name string) *address {
	a := &address{}
	binary.NativeEndian.PutUint16(a.data[:], unix.AF_UNIX)
	a.size = 2 + copy(a.data[2:unix.SizeofSockaddrUnix-1], name) + 1
	return a
}
