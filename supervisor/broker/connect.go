package broker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// connect answers connect(2).
func (b *Broker) connect(req *request) reply {
	var a address
	copied := copyAddress(req, 1, &a)
	s, errno := b.take(req)
	if errno != 0 {
		return performed(-1, errno)
	}
	defer s.release()
	if copied != 0 {
		return performed(-1, copied)
	}
	d := readAddress(s.domain, a.bytes())
	return b.performConnect(req, &s, &a, d, b.rules.connect(s.socketKind, d))
}

func (b *Broker) performConnect(req *request, s *socket, a *address, d destination, dec decision) reply {
	if dec.judged {
		b.judged(req, "connect", s.socketKind, d, dec.network)
	}
	switch dec.act {
	case inPlace:
		if !dec.judged {
			return b.connectInside(req, s, a, d.target(s.socketKind))
		}
		if !b.connections.admit(s.fd) {
			return b.tooMany(req)
		}
		return b.connectInPlace(req, s, a)
	case handOff:
		return b.handOff(req, s, a)
	case giveBack:
		return b.connectGivenBack(req, s, a, d)
	case byPath:
		return b.connectPath(req, s, d)
	case refuse:
	}
	return deny(dec.errno)
}

// connectInPlace connects the caller's own socket without blocking this thread.
// The destination was decided; on a socket of the sandbox any will do.
func (b *Broker) connectInPlace(req *request, s *socket, a *address) reply {
	if isNonblocking(s.fd) {
		if errno := connectShared(s.fd, a.bytes()); errno != unix.EINTR {
			return performed(0, errno)
		} // it blocks by now
	}
	switch {
	case s.isTCP():
		expired := unix.EINPROGRESS
		if stateOf(s.fd) != tcpClose {
			expired = unix.EALREADY // this connect joins one that is under way
		}
		return b.awaitConnect(req, s, a, expired)
	case s.isLocal():
		return b.connectLocal(req, s, a)
	}
	return performed(0, connectShared(s.fd, a.bytes()))
}

// awaitConnect connects a blocking TCP socket and waits for the end; expired is
// the result when SO_SNDTIMEO comes first.
func (b *Broker) awaitConnect(req *request, s *socket, a *address, expired syscall.Errno) reply {
	if errno := b.beginConnect(s.fd, a.bytes()); errno != unix.EINPROGRESS {
		return performed(0, errno)
	}
	return b.pending.connect(b, req, s, a, expired)
}

// beginConnect is connect(2) on a blocking TCP socket as far as it goes without
// waiting; EINPROGRESS means that the wait begins.
func (b *Broker) beginConnect(fd int, to []byte) syscall.Errno {
	switch stateOf(fd) {
	case tcpSynSent, tcpSynReceived:
		return unix.EINPROGRESS
	case tcpClose:
		return withoutBlocking(fd, func() syscall.Errno {
			if errno := underWay(connectShared(fd, to)); errno != unix.EINPROGRESS {
				return errno
			}
			return underWay(connectShared(fd, to)) // on the loopback all is over by now
		})
	default: // the kernel answers at once: connected, or EISCONN
		return underWay(connectShared(fd, to))
	}
}

// connectLocal connects a blocking local socket; it waits while the queue of the
// listener is full.
func (b *Broker) connectLocal(req *request, s *socket, a *address) reply {
	fd, to := s.fd, *a
	attempt := func() reply {
		return performed(0, withoutBlocking(fd, func() syscall.Errno { return queueFull(connectShared(fd, to.bytes())) }))
	}
	if r := attempt(); r.errno != unix.EAGAIN {
		return r
	}
	return b.pending.retry(b, req, s, attempt)
}

// release closes the duplicate unless it was given away.
func (s *socket) release() {
	if s.fd >= 0 {
		closeFD(s.fd)
		s.fd = -1
	}
}

// give hands the duplicate to another owner.
func (s *socket) give() int {
	fd := s.fd
	s.fd = -1
	return fd
}
