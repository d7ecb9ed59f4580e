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
// so immediate errors leave the caller's socket alone, and so does a refusal that
// comes at once; what else is to be done comes after the SYN is out, so that the
// round trip hides it; and a blocking caller gets the socket in SYN_SENT, so that
// its other threads see the one that counts.
func (b *Broker) handOff(req *request, s *socket, a *address) reply {
	if stateOf(s.fd) != tcpClose {
		return b.connectInPlace(req, s, a) // EISCONN or EALREADY, and nothing begins
	}
	if b.connections.full() {
		return b.offload(req, s, func(s *socket) reply {
			if !b.connections.sweep() {
				return b.tooMany(req)
			}
			return b.handOffNow(req, s, a)
		})
	}
	return b.handOffNow(req, s, a)
}

// tooMany refuses a connection beyond limits.connections.
func (b *Broker) tooMany(req *request) reply {
	target := req.record.Target
	req.record = b.denial(req, "connect", target, ruleConnections)
	req.record.Hint = "raise limits.connections in the policy"
	return deny(unix.ENOBUFS)
}

// handOffNow hands off where there is room for a connection.
func (b *Broker) handOffNow(req *request, s *socket, a *address) reply {
	from, errno := b.sourceOf(req, s)
	if errno != 0 {
		return deny(errno)
	}
	grows := b.connections.roomToGrow()
	if b.connections.crowded() {
		b.sweepAside()
	}
	host, errno := hostSocket(s, from.address, grows)
	if errno != 0 {
		return performed(-1, errno)
	}
	if errno := b.connections.watch(host); errno != 0 {
		closeFD(host)
		return deny(errno)
	}
	h := handoff{
		socket: socket{socketKind: s.socketKind, fd: host, number: s.number},
		to:     *a, blocking: !isNonblocking(s.fd), grows: grows,
	}
	h.host = true
	if h.state = connectTo(host, a.bytes()); h.state == unix.EINPROGRESS && h.blocking {
		h.state = underWay(connectTo(host, a.bytes())) // a close destination has answered by now
	}
	if h.state != 0 && h.state != unix.EINPROGRESS {
		h.release()
		return performed(-1, h.state)
	}
	if h.blocking {
		_, _ = fdControl(host, unix.F_SETFL, 0)
	}
	if b.mayLetGo(req, s, from) {
		return b.handOverAlone(req, s, &h)
	}
	numbers, few := b.holders(req, s)
	switch {
	case few:
	case req.pooled:
		numbers = b.allHolders(req, s)
	default:
		r := b.offload(req, s, func(s *socket) reply { return b.handOver(req, s, &h, b.allHolders(req, s)) })
		if !r.later {
			h.release()
		}
		return r
	}
	return b.handOver(req, s, &h, numbers)
}

// handoff is a host socket that connects, on its way to the caller.
type handoff struct {
	socket
	to       address
	blocking bool          // the caller waits for the far end
	grows    bool          // its buffers may
	state    syscall.Errno // 0 when the connection stands, EINPROGRESS
}

// handOverAlone puts the host socket in the place of one that nothing else has, as
// nearly always. Where something has, the pool sees to it.
func (b *Broker) handOverAlone(req *request, s *socket, h *handoff) reply {
	orphan, errno := b.letGo(req, s, h.fd)
	if errno != 0 {
		h.release()
		return performed(-1, errno)
	}
	if orphan == 0 {
		return b.handedOver(req, h, -1)
	}
	req.pooled = true
	r := b.offloadCall(req, func() recheckedReply {
		b.replaceOrphan(req, orphan, h.fd)
		return recheckedReply{reply: b.handedOver(req, h, -1)}
	})
	if !r.later { // the pool is full, and the swap is made
		req.pooled = false
		b.leftBehind(req)
		return b.handedOver(req, h, -1)
	}
	return r
}

// handOver puts the host socket over every number of the caller's. The socket that
// it takes the place of is kept.
func (b *Broker) handOver(req *request, s *socket, h *handoff, numbers []int) reply {
	if errno := b.swap(req, s, h.fd, numbers); errno != 0 {
		h.release()
		return performed(-1, errno)
	}
	return b.handedOver(req, h, s.give())
}

// handedOver answers, or waits for the far end. It owns the host socket and the
// one that was kept, if any.
func (b *Broker) handedOver(req *request, h *handoff, kept int) reply {
	defer h.release()
	b.connections.add(h.fd, kept, h.grows)
	if h.state == unix.EINPROGRESS && h.blocking {
		return b.awaitConnect(req, &h.socket, &h.to, unix.EINPROGRESS)
	}
	return performed(0, h.state)
}

// source is where the caller's socket is bound.
type source struct {
	bound   bool
	address []byte // what the host socket must be bound to, or nil
}

// sourceOf tells what the host socket must be bound to. A port that the kernel
// chose is chosen again; one that the program chose cannot be had on the host.
func (b *Broker) sourceOf(req *request, s *socket) (source, syscall.Errno) {
	var name [maxAddress]byte
	size, errno := boundName(s.fd, &name)
	if errno != 0 {
		return source{}, errno
	}
	d := readAddress(s.domain, name[:size])
	addr := d.addr.Addr()
	if d.addr.Port() == 0 && addr.IsUnspecified() {
		return source{}, 0
	}
	if b.bound.chosen(s.fd) {
		target := req.record.Target
		req.record = b.denial(req, "connect", target, ruleHandoff)
		req.record.Original = "from " + d.addr.String()
		return source{}, unix.EADDRNOTAVAIL
	}
	if addr.Unmap().IsUnspecified() {
		return source{bound: true}, 0
	}
	binary.BigEndian.PutUint16(name[2:4], 0)
	return source{bound: true, address: name[:size]}, 0
}

// hostSocket makes a socket of the supervisor's network that is otherwise as
// the caller's, and does not block. Its buffers grow, or are fixed before the
// connect: a window that has its bound by then would stay (tcp_init_buffer_space of
// the kernel).
func hostSocket(like *socket, source []byte, grows bool) (int, syscall.Errno) {
	fd, errno := tcpSocket(like.domain)
	if errno != 0 {
		return -1, errno
	}
	copyOptions(fd, like.fd, like.domain)
	if !grows {
		fixBuffers(fd)
	}
	if source != nil {
		if errno := bindTo(fd, source); errno != 0 {
			closeFD(fd)
			return -1, errno
		}
	}
	return fd, 0
}
