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
	return recheckedReply{reply: b.mendedError(req)}
}

// mendedError answers for a thread that may have lost a connect.
func (b *Broker) mendedError(req *request) reply {
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
	if value == 0 && abandoned(&s) {
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

// abandoned reports whether a connect that was lost may have been on this socket:
// nothing has begun on it.
func abandoned(s *socket) bool {
	return s.isTCP() && !s.host && stateOf(s.fd) == tcpClose
}
