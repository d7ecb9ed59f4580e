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
func (b *Broker) socketError(req *request) reply {
	s, errno := b.take(req)
	if errno != 0 {
		return performed(-1, errno)
	}
	defer s.release()
	size, errno := b.copyInt(req, req.Args[4])
	if errno != 0 {
		return performed(-1, errno)
	}
	if size < 0 {
		return performed(-1, unix.EINVAL)
	}
	value, errno := intOption(s.fd, unix.SOL_SOCKET, unix.SO_ERROR)
	if errno != 0 {
		return performed(-1, errno)
	}
	if value == 0 && b.abandoned(&s) {
		value = int(unix.ECONNABORTED)
	}
	var buf, length [4]byte
	size = min(size, int32(len(buf)))
	binary.NativeEndian.PutUint32(buf[:], uint32(value))
	binary.NativeEndian.PutUint32(length[:], uint32(size))
	if size > 0 {
		if errno := writeGuest(int(req.PID), req.Args[3], buf[:size]); errno != 0 {
			return performed(-1, errno)
		}
	}
	return performed(0, writeGuest(int(req.PID), req.Args[4], length[:]))
}

// abandoned reports whether a connect on the socket may have been lost: nothing
// has begun on it, and somebody asks for the result. Those who ask before they
// connect (gevent does) have non-blocking sockets; of these only such are taken
// for abandoned that are asked about soon after a call was lost.
func (b *Broker) abandoned(s *socket) bool {
	if !s.isTCP() || s.host || stateOf(s.fd) != tcpClose {
		return false
	}
	return !isNonblocking(s.fd) || b.lost.recent()
}
