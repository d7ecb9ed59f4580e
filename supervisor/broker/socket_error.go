package broker

import "golang.org/x/sys/unix"

// socketError answers getsockopt(SOL_SOCKET, SO_ERROR).
//
// A signal can end a connect before the supervisor has received it. CPython then
// polls the descriptor and asks for SO_ERROR; a TCP socket on which nothing has
// begun is ready and has no error, so Python would report a connection that was
// never made. The question about such a socket fails with ECONNABORTED. It is not
// answered with that value: the thread's memory is its own again once a signal has
// ended the call, which before Linux 5.19 one can at any moment
// (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV).
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
	return recheckedReply{reply: performed(-1, unix.ECONNABORTED)}
}

// abandoned reports whether a connect that was lost may have been on this socket:
// nothing has begun on it.
func abandoned(s *socket) bool {
	return s.isTCP() && !s.host && stateOf(s.fd) == tcpClose
}
