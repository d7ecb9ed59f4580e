package broker

import (
	"encoding/binary"
	"fmt"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// lookEvery is how often waiting calls are looked at for signals, deadlines and
// the death of their callers. A caller in connect is deaf to signals while it
// waits for the supervisor (SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV).
const lookEvery = 10 * time.Millisecond

// longestWait ends a connect that the kernel has not ended, so that no call is
// without an answer for ever. TCP itself gives up after two minutes unless the
// program asked for more.
const longestWait = 30 * time.Minute

// pending holds the blocking connects that wait for a far end. Its epoll is part
// of the serve loop; a watcher looks at what epoll does not tell.
type pending struct {
	epoll   int
	mu      sync.Mutex
	calls   map[uint64]*waiting // by notification id
	watched bool
	stopped chan struct{}
	watcher sync.WaitGroup
}

// waiting is one call in pending.
type waiting struct {
	req *request
	fds []int // our duplicate first; closed at the end
	// attempt goes on with the call; EAGAIN means that it still waits.
	attempt  func() reply
	polled   bool // epoll tells when to attempt; otherwise every look does
	expired  syscall.Errno
	deadline time.Time
	timed    bool // the deadline is the program's own (SO_SNDTIMEO)
}

func newPending() (*pending, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make an epoll for waiting connects: %w", err)
	}
	return &pending{epoll: epoll, calls: make(map[uint64]*waiting), stopped: make(chan struct{})}, nil
}

// connect answers req when the TCP connect of s has ended. It owns the duplicate
// in s.
func (p *pending) connect(b *Broker, req *request, s *socket, a *address, expired syscall.Errno) reply {
	to, fd := *a, s.fd
	return p.enter(b, s, &waiting{
		req:     req,
		attempt: func() reply { return performed(0, finishConnect(fd, to.bytes())) },
		polled:  true,
		expired: expired,
	})
}

// retry answers req when attempt no longer gives EAGAIN. It owns the duplicate
// in s and other descriptors that the attempt needs.
func (p *pending) retry(b *Broker, req *request, s *socket, attempt func() reply, others ...int) reply {
	return p.enter(b, s, &waiting{req: req, fds: others, attempt: attempt, expired: unix.EAGAIN})
}

func (p *pending) enter(b *Broker, s *socket, w *waiting) reply {
	w.deadline, w.timed = sendDeadline(s.fd, w.req.received)
	p.mu.Lock()
	defer p.mu.Unlock()
	if w.polled {
		event := epollEvent(unix.EPOLLOUT|unix.EPOLLONESHOT, w.req.ID)
		if err := unix.EpollCtl(p.epoll, unix.EPOLL_CTL_ADD, s.fd, &event); err != nil {
			return deny(errnos.Of(err))
		}
	}
	w.fds = append([]int{s.give()}, w.fds...)
	p.calls[w.req.ID] = w
	if !p.watched {
		p.watched = true
		p.watcher.Go(func() { p.watch(b) })
	}
	return postponed()
}

// take removes a call; nil if it was answered already.
func (p *pending) take(id uint64) *waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	w := p.calls[id]
	delete(p.calls, id)
	return w
}

// end gives up the duplicate. The caller still has the socket open, so epoll
// would not forget it by itself.
func (p *pending) end(w *waiting) {
	if w.polled {
		_ = unix.EpollCtl(p.epoll, unix.EPOLL_CTL_DEL, w.fds[0], nil)
	}
	for _, fd := range w.fds {
		closeFD(fd)
	}
}

// finishConnects answers the calls whose sockets are ready, and reports whether
// the stop event is among what is. It runs in the serve thread, so that no other
// connect of the same socket comes between.
func (b *Broker) finishConnects() (stop bool) {
	var events [64]unix.EpollEvent
	n, err := unix.EpollWait(b.pending.epoll, events[:], 0)
	if err != nil {
		return false
	}
	for i := range events[:n] {
		id := dataOfEvent(events[i])
		if id == stopID {
			stop = true
		} else if w := b.pending.take(id); w != nil {
			b.finish(w, w.attempt())
		}
	}
	return stop
}

// finish answers a call that was taken from pending.
func (b *Broker) finish(w *waiting, r reply) {
	b.pending.end(w)
	b.answer(w.req, r.response(w.req.ID))
}

// finishConnect takes the result of a connect that is no longer under way. Not
// by SO_ERROR: that leaves the socket half-way, and the next connect would
// succeed where EISCONN is due.
func finishConnect(fd int, to []byte) syscall.Errno {
	if stateOf(fd) != tcpClose {
		return connectShared(fd, to)
	}
	errno := withoutBlocking(fd, func() syscall.Errno { return underWay(connectShared(fd, to)) })
	if errno != unix.EINPROGRESS && errno != 0 {
		return errno
	}
	// A shutdown by another thread had ended the connect, and this one began
	// another. Undo it and say what the kernel says of the first (tcp_disconnect).
	_ = connectTo(fd, make([]byte, 16)) // AF_UNSPEC, which never waits
	return unix.ECONNRESET
}

// sendDeadline is when SO_SNDTIMEO ends a connect, or when we do.
func sendDeadline(fd int, from time.Time) (deadline time.Time, timed bool) {
	var value [16]byte // struct timeval
	if _, errno := option(fd, unix.SOL_SOCKET, unix.SO_SNDTIMEO, value[:]); errno == 0 {
		seconds := binary.NativeEndian.Uint64(value[:8])
		micros := binary.NativeEndian.Uint64(value[8:])
		if timeout := time.Duration(seconds)*time.Second + time.Duration(micros)*time.Microsecond; timeout > 0 && timeout < longestWait {
			return from.Add(timeout), true
		}
	}
	return from.Add(longestWait), false
}

// stop ends the watcher and drops what still waits.
func (p *pending) stop() {
	close(p.stopped)
	p.watcher.Wait()
	p.mu.Lock()
	defer p.mu.Unlock()
	for id, w := range p.calls {
		delete(p.calls, id)
		p.end(w)
	}
}

func (p *pending) close() error { return unix.Close(p.epoll) }
