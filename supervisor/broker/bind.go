package broker

import (
	"sync"

	"golang.org/x/sys/unix"
)

// bind answers bind(2).
func (b *Broker) bind(req *request) recheckedReply {
	s, errno := b.take(req)
	if errno != 0 {
		return denied(errno)
	}
	defer s.release()
	if s.isLocal() {
		return b.bindLocal(req)
	}
	return recheckedReply{reply: b.bindInternet(req, &s)}
}

// bindLocal leaves a local socket to the kernel: its path must be resolved for the
// caller, and getsockname(2) must give it back as it was. The descriptor may be
// another by then. That a TCP socket of the host is not bound in its place is for
// Landlock to say, which judges the final object; without it nobody would.
func (b *Broker) bindLocal(req *request) recheckedReply {
	if !b.config.LandlockTCP {
		req.record = b.denial(req, "bind", "", ruleFamilies)
		return denied(unix.EACCES)
	}
	b.inside(req, "bind", "unix")
	return continueUnder(landlockTCP)
}

// bindInternet binds in the sandbox's own network, where any address will do.
func (b *Broker) bindInternet(req *request, s *socket) reply {
	if !s.isInternet() {
		req.record = b.denial(req, "bind", "", ruleFamilies)
		return deny(unix.EACCES)
	}
	var a address
	if errno := firstErrno(copyAddress(req, 1, &a), b.settle(req)); errno != 0 {
		return performed(-1, errno)
	}
	if s.host {
		return b.returnHome(req, s, "bind", func(s *socket) reply { return b.bindHere(req, s, &a) })
	}
	return b.bindHere(req, s, &a)
}

// bindHere binds a socket of the sandbox's own.
func (b *Broker) bindHere(req *request, s *socket, a *address) reply {
	d := readAddress(s.domain, a.bytes())
	b.inside(req, "bind", d.target(s.socketKind))
	errno := bindTo(s.fd, a.bytes())
	if errno == 0 && d.addr.Port() != 0 {
		b.bound.choose(s.fd)
	}
	return performed(0, errno)
}

// listen answers listen(2). It is never left to the kernel: Landlock does not
// judge it, and a host socket put in place of the judged one would listen on the
// host.
func (b *Broker) listen(req *request) reply {
	s, errno := b.take(req)
	if errno != 0 {
		return performed(-1, errno)
	}
	defer s.release()
	if s.host && s.isTCP() && stateOf(s.fd) == tcpListen {
		return performed(0, 0) // passed by a service manager; it listens as its owner has told it
	}
	if s.host && !s.isLocal() {
		return b.returnHome(req, &s, "listen", func(s *socket) reply { return b.listenHere(req, s) })
	}
	return b.listenHere(req, &s)
}

func (b *Broker) listenHere(req *request, s *socket) reply {
	b.inside(req, "listen", "")
	return performed(0, listenOn(s.fd, int(int32(req.Args[1]))))
}

// returnHome makes a host socket that is not connected the sandbox's own again,
// as whose it may be bound and listen. A connected one gives what the kernel
// gives.
func (b *Broker) returnHome(req *request, s *socket, operation string, then func(*socket) reply) reply {
	if !s.isTCP() || stateOf(s.fd) != tcpClose {
		return performed(-1, unix.EINVAL)
	}
	return b.atHome(req, s, operation, then)
}

// maxBound bounds the memory of chosen ports. Forgetting one makes a handed off
// connection leave from another port than the program chose.
const maxBound = 4096

// bound remembers sockets that were bound to a port of the program's choice,
// which nothing else can tell from one that the kernel chose.
type bound struct {
	mu      sync.Mutex
	cookies map[uint64]struct{}
}

func newBound() bound { return bound{cookies: make(map[uint64]struct{})} }

func (l *bound) choose(fd int) {
	cookie, errno := cookieOption(fd, unix.SO_COOKIE)
	if errno != 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if len(l.cookies) >= maxBound {
		for old := range l.cookies {
			delete(l.cookies, old)
			break
		}
	}
	l.cookies[cookie] = struct{}{}
}

func (l *bound) chosen(fd int) bool {
	cookie, errno := cookieOption(fd, unix.SO_COOKIE)
	l.mu.Lock()
	defer l.mu.Unlock()
	_, found := l.cookies[cookie]
	return errno == 0 && found
}
