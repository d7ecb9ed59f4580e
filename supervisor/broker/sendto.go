package broker

import (
	"syscall"

	"golang.org/x/sys/unix"
)

// Bounds on what is copied for one send, in bytes. It is our memory for as long as the
// caller waits for room, and every thread of the sandbox can wait. A UDP datagram has
// a length of 16 bits, and a stream may take less than it is given; a local datagram
// has to be taken as a whole, and no socket takes so much at once.
const (
	maxInternet = 1 << 16
	maxLocal    = 1 << 20
)

// sendto answers a sendto(2) with a destination or with urgent data.
func (b *Broker) sendto(req *request) reply {
	var a address
	var copied syscall.Errno
	if req.Args[4] != 0 {
		copied = copyAddress(req, 4, &a)
	}
	s, errno := b.take(req)
	if errno != 0 {
		return performed(-1, errno)
	}
	defer s.release()
	flags := int(int32(req.Args[3]))
	if flags&unix.MSG_OOB != 0 && !s.isTCP() {
		return performed(-1, unix.EOPNOTSUPP)
	}
	if copied != 0 {
		return performed(-1, copied)
	}
	if s.isTCP() {
		a.size = 0
	}
	return b.performSend(req, &s, &a, flags)
}

func (b *Broker) performSend(req *request, s *socket, a *address, flags int) reply {
	d := readAddress(s.domain, a.bytes())
	dec := b.rules.send(s.socketKind, d)
	if dec.judged {
		b.judged(req, "sendto", s.socketKind, d, dec.network)
	}
	switch dec.act {
	case byPath:
		return b.sendPath(req, s, d, flags)
	case inPlace:
	default:
		return deny(dec.errno)
	}
	data, errno := b.copyData(req, s)
	if errno != 0 {
		return performed(-1, errno)
	}
	return b.sendData(req, s, data, flags, a.bytes())
}

// copyData copies what is to be sent: of a stream the beginning, of a datagram that is
// too long one byte more than the kernel takes.
func (b *Broker) copyData(req *request, s *socket) ([]byte, syscall.Errno) {
	size := req.Args[2]
	switch {
	case s.isTCP():
		size = min(size, maxInternet)
	case s.isLocal():
		size = min(size, maxLocal+1)
	default:
		size = min(size, maxInternet+1)
	}
	data := make([]byte, size)
	if errno := b.copyIn(req, req.Args[1], data); errno != 0 {
		return nil, errno
	}
	return data, 0
}

// sendData sends without blocking. A caller that would block is answered from
// pending when the socket has room again.
func (b *Broker) sendData(req *request, s *socket, data []byte, flags int, to []byte) reply {
	r := sendNow(s.fd, data, flags, to)
	if r.errno != unix.EAGAIN || !waits(s.fd, flags) {
		return r
	}
	fd := s.fd
	return b.pending.retry(b, req, s, func() reply { return sendNow(fd, data, flags, to) })
}

// waits reports whether a send with these flags may wait for room.
func waits(fd, flags int) bool { return flags&unix.MSG_DONTWAIT == 0 && !isNonblocking(fd) }

// sendNow sends if there is room; EAGAIN if not. The signal of a broken pipe
// would be ours, so it is left out.
func sendNow(fd int, data []byte, flags int, to []byte) reply {
	n, errno := sendTo(fd, data, flags&^unix.MSG_FASTOPEN|unix.MSG_DONTWAIT|unix.MSG_NOSIGNAL, to)
	return performed(int64(n), errno)
}
