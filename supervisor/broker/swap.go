package broker

import (
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/seccomp"
)

// swap replaces the caller's socket by another at every number of numbers, each
// keeping its close-on-exec flag, and moves epoll registrations along.
func (b *Broker) swap(req *request, s *socket, by int, numbers []int) syscall.Errno {
	entries := b.epolls.entriesOf(b, s.fd, numbers)
	if errno := b.replaceOwn(req, s, by); errno != 0 {
		return errno
	}
	for _, number := range numbers {
		if same, _ := b.sameFile(s.fd, int(req.PID), number); same && number != s.number {
			_ = b.replace(req, by, number)
		}
	}
	if len(entries) > 0 {
		moveEntries(entries, s.fd, by)
	}
	return 0
}

// replaceOwn replaces the caller's socket at the number in the call, unless
// another thread has put something else there.
func (b *Broker) replaceOwn(req *request, s *socket, by int) syscall.Errno {
	same, errno := b.sameFile(s.fd, int(req.PID), s.number)
	if !same {
		return firstErrno(errno, unix.EBADF)
	}
	return b.replace(req, by, s.number)
}

// replace puts a duplicate of fd at a number of the caller's.
func (b *Broker) replace(req *request, fd, number int) syscall.Errno {
	closes, errno := b.closesOnExec(req, number)
	if errno != 0 {
		return errno
	}
	err := b.listener.addFD(req.ID, fd, number, seccomp.AddFDAt, closes)
	return errnos.Of(err)
}

// likeBlocking gives fd the blocking mode of another.
func likeBlocking(fd, like int) {
	have, want := statusFlags(fd), statusFlags(like)
	if (have^want)&unix.O_NONBLOCK != 0 {
		_, _ = fdControl(fd, unix.F_SETFL, have&^unix.O_NONBLOCK|want&unix.O_NONBLOCK)
	}
}

func firstErrno(errnos ...syscall.Errno) syscall.Errno {
	for _, errno := range errnos {
		if errno != 0 {
			return errno
		}
	}
	return 0
}

// connectGivenBack serves a connect that must not leave the sandbox, on a host
// socket: the sandbox's own socket returns to its numbers first.
func (b *Broker) connectGivenBack(req *request, s *socket, a *address, d destination) reply {
	if d.class == loopback {
		switch stateOf(s.fd) {
		case tcpClose:
		case tcpSynSent, tcpSynReceived:
			return performed(-1, unix.EALREADY)
		default:
			return performed(-1, unix.EISCONN)
		}
	}
	to := *a
	return b.atHome(req, s, "connect", func(s *socket) reply {
		return b.connectInside(req, s, &to, d.target(s.socketKind))
	})
}

// atHome answers from the pool, with the sandbox's own socket in the place of a
// host socket.
func (b *Broker) atHome(req *request, s *socket, operation string, then func(*socket) reply) reply {
	return b.offload(req, s, func(s *socket) reply {
		if errno := b.giveBack(req, s); errno != 0 {
			req.record = b.denial(req, operation, "", ruleHandoff)
			return deny(errno)
		}
		return then(s)
	})
}

// giveBack replaces a host socket in the caller's hands by one of the sandbox's
// own, the one that it took the place of if that was kept; s then is that one. The
// host socket closes with its last holder. It runs in the pool.
func (b *Broker) giveBack(req *request, s *socket) syscall.Errno {
	guest := b.connections.guestOf(s.fd)
	if guest < 0 {
		var errno syscall.Errno
		if guest, errno = b.freshSocket(s.domain); errno != 0 {
			return errno
		}
	}
	own := socket{socketKind: s.socketKind, fd: guest, number: s.number}
	own.host = false
	copyOptions(own.fd, s.fd, s.domain)
	likeBlocking(own.fd, s.fd)
	if errno := b.swap(req, s, own.fd, b.allHolders(req, s)); errno != 0 {
		own.release()
		return errno
	}
	b.connections.remove(s.fd)
	s.release()
	*s = own
	return 0
}
