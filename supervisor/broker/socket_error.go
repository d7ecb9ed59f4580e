package broker

import (
	"encoding/binary"

	"golang.org/x/sys/unix"
)

// socketError answers getsockopt(SOL_SOCKET, SO_ERROR).
//
// A signal can end a connect before the supervisor has received it. CPython then
// polls the descriptor and asks for SO_ERROR; a TCP socket on which nothing has
// begun is ready and has no error, so Python would report a connection that was
// never made. Such a socket gets ECONNABORTED.
//
// Where no call was lost there is nothing to mend, and the kernel answers: reading
// this option is harmless on whatever the descriptor is by then.
func (b *Broker) socketError(req *request) recheckedReply {
	b.recall(req)
	if !b.lost.since(req.previous) {
		return continueUnder(filterRegisters)
	}
	s, errno := b.take(req)
	if errno != 0 {
		return recheckedReply{reply: performed(-1, errno)}
	}
	defer s.release()
	if !abandoned(&s) {
		return continueUnder(filterRegisters)
	}
	return recheckedReply{reply: b.mendedError(req, &s)}
}

// mendedError answers for a thread that may have lost a connect on a socket. It writes
// to the thread's memory, which is its own again once a signal has ended the call:
// before Linux 5.19 one can at any moment (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV), so
// there is a last look.
func (b *Broker) mendedError(req *request, s *socket) reply {
	size, errno := b.copyInt(req, req.Args[4])
	if errno != 0 {
		return performed(-1, errno)
	}
	if size < 0 {
		return performed(-1, unix.EINVAL)
	}
	value, errno := intOption(s.fd, unix.SO_ERROR)
	if errno != 0 {
		return performed(-1, errno)
	}
	if value == 0 {
		value = int(unix.ECONNABORTED)
	}
	var buf, length [4]byte
	size = min(size, int32(len(buf)))
	if !b.listener.valid(req.ID) {
		return performed(-1, unix.EINTR)
	}
	binary.NativeEndian.PutUint32(buf[:], uint32(value))
	binary.NativeEndian.PutUint32(length[:], uint32(size))
	if size > 0 {
		if errno := writeGuest(int(req.PID), req.Args[3], buf[:size]); errno != 0 {
			return performed(-1, errno)
		}
	}
	return performed(0, writeGuest(int(req.PID), req.Args[4], length[:]))
}

// abandoned reports whether a connect that was lost may have been on this socket:
// nothing has begun on it.
func abandoned(s *socket) bool {
	return s.isTCP() && !s.host && stateOf(s.fd) == tcpClose
}
