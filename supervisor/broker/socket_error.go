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
	value, errno := intOption(s.fd, unix.SO_ERROR)
	if errno != 0 {
		return performed(-1, errno)
	}
	if value == 0 && b.abandoned(req, &s) {
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
// has begun on it, and with or since the thread's last connect a call has vanished. Without
// that the question is a harmless one, which gevent asks before it connects.
func (b *Broker) abandoned(req *request, s *socket) bool {
	return s.isTCP() && !s.host && stateOf(s.fd) == tcpClose && b.lost.since(req.previous)
}
