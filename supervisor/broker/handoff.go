package broker

import (
	"encoding/binary"
	"syscall"

	"golang.org/x/sys/unix"
)

// handOff connects a TCP socket of the sandbox to a permitted destination: a
// host socket of the same kind with the same options is connected and takes the
// place of the caller's. From then on data flows natively.
//
// The order matters. Nothing is swapped before the kernel has taken the connect,
// so immediate errors leave the caller's socket alone; the search for other
// holders comes after the SYN is out, so that the round trip hides it; and a
// blocking caller gets the socket in SYN_SENT, so that its other threads see the
// one that counts.
func (b *Broker) handOff(req *request, s *socket, a *address) reply {
	if stateOf(s.fd) != tcpClose {
		return b.connectInPlace(req, s, a) // EISCONN or EALREADY, and nothing begins
	}
	if b.connections.full() {
		return b.offload(req, s, func(s *socket) reply {
			if !b.connections.sweep() {
				return b.tooMany(req)
			}
			return b.handOffNow(req, s, a, true)
		})
	}
	return b.handOffNow(req, s, a, false)
}

// tooMany refuses a connection beyond limits.connections.
func (b *Broker) tooMany(req *request) reply {
	target := req.record.Target
	req.record = b.denial(req, "connect", target, ruleConnections)
	req.record.Hint = "limits.connections"
	return deny(unix.ENOBUFS)
}

// handOffNow hands off where there is room for a connection.
func (b *Broker) handOffNow(req *request, s *socket, a *address, inPool bool) reply {
	source, errno := b.sourceOf(req, s)
	if errno != 0 {
		return deny(errno)
	}
	host, errno := hostSocket(s, source)
	if errno != 0 {
		return performed(-1, errno)
	}
	state := connectTo(host, a.bytes())
	if state != 0 && state != unix.EINPROGRESS {
		closeFD(host)
		return performed(-1, state)
	}
	numbers, few := b.holders(req, s)
	if !few && inPool {
		numbers, few = b.allHolders(req, s), true
	}
	if few {
		return b.handOver(req, s, host, numbers, a, state)
	}
	return b.offload(req, s, func(s *socket) reply {
		return b.handOver(req, s, host, b.allHolders(req, s), a, state)
	})
}

// handOver puts the connecting host socket over every number of the caller's
// and answers, or waits for the far end. It owns host.
func (b *Broker) handOver(req *request, s *socket, host int, numbers []int, a *address, state syscall.Errno) reply {
	h := socket{socketKind: s.socketKind, fd: host, number: s.number}
	h.host = true
	defer h.release()
	blocking := !isNonblocking(s.fd)
	if blocking {
		if state == unix.EINPROGRESS {
			state = lookAgain(host, a.bytes())
		}
		if state != 0 && state != unix.EINPROGRESS {
			return performed(-1, state)
		}
		_, _ = fdControl(host, unix.F_SETFL, 0)
	}
	if errno := b.swap(req, s, host, numbers); errno != 0 {
		return performed(-1, errno)
	}
	b.connections.add(host, s.give())
	if state == unix.EINPROGRESS && blocking {
		return b.awaitConnect(req, &h, a, unix.EINPROGRESS)
	}
	return performed(0, state)
}

// sourceOf returns the address that the host socket must be bound to, or nil. A
// port that the kernel chose is chosen again; one that the program chose cannot
// be had on the host.
func (b *Broker) sourceOf(req *request, s *socket) ([]byte, syscall.Errno) {
	var name [maxAddress]byte
	size, errno := boundName(s.fd, &name)
	if errno != 0 {
		return nil, errno
	}
	d := readAddress(s.domain, name[:size])
	addr := d.addr.Addr()
	if d.addr.Port() == 0 && addr.IsUnspecified() {
		return nil, 0
	}
	if b.bound.chosen(s.fd) {
		target := req.record.Target
		req.record = b.denial(req, "connect", target, ruleHandoff)
		req.record.Original = "from " + d.addr.String()
		return nil, unix.EADDRNOTAVAIL
	}
	if addr.Unmap().IsUnspecified() {
		return nil, 0
	}
	binary.BigEndian.PutUint16(name[2:4], 0)
	return name[:size], 0
}

// hostSocket makes a socket of the supervisor's network that is otherwise as
// the caller's, and does not block.
func hostSocket(like *socket, source []byte) (int, syscall.Errno) {
	fd, errno := tcpSocket(like.domain)
	if errno != 0 {
		return -1, errno
	}
	copyOptions(fd, like.fd, like.domain)
	if source != nil {
		if errno := bindTo(fd, source); errno != 0 {
			closeFD(fd)
			return -1, errno
		}
	}
	return fd, 0
}
