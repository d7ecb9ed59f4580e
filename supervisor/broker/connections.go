package broker

import (
	"maps"
	"slices"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// maxKept bounds the sockets that are kept to be given back.
const maxKept = 1024

// connections counts the host sockets in the sandbox's hands and keeps, for
// each, the socket of the sandbox that it took the place of.
type connections struct {
	open     int // epoll of the host sockets, which forgets one with its last descriptor
	mu       sync.Mutex
	limit    int
	byCookie map[uint64]connection
	growers  func() int // how many may have growing buffers
	growing  int        // how many have
	swept    time.Time
}

type connection struct {
	guest int  // the sandbox's own socket, -1 if it was not kept
	grows bool // its buffers may
}

// newConnections takes over an epoll that watches nothing.
func newConnections(open, limit int, memory int64) connections {
	return connections{
		open:     open,
		limit:    limit,
		byCookie: make(map[uint64]connection),
		growers:  sync.OnceValue(func() int { return mayGrow(limit, memory) }),
	}
}

// watch begins with a host socket that the sandbox will have. No table of the
// kernel's tells whether it is open: one whose connection is over is in none, and
// what it has received stays in it until it is closed.
func (c *connections) watch(host int) syscall.Errno {
	cookie, errno := cookieOption(host, unix.SO_COOKIE)
	if errno != 0 {
		return errno
	}
	event := epollEvent(0, cookie)
	errno = errnos.Of(unix.EpollCtl(c.open, unix.EPOLL_CTL_ADD, host, &event))
	if errno == unix.EEXIST { // one that was given back, and is open elsewhere
		return 0
	}
	return errno
}

// full reports whether the table is; sweep then finds out what still lives.
func (c *connections) full() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.byCookie) >= c.limit
}

// roomToGrow reports whether the next host socket may have growing buffers.
func (c *connections) roomToGrow() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.growing < c.growers()
}

// sweepPause is how long host sockets with growing buffers count as live without a
// look.
const sweepPause = time.Second

// crowded reports whether it is time to sweep so that there stays room to grow: more
// than half of it is taken. It says so once in a pause.
func (c *connections) crowded() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if 2*c.growing <= c.growers() || time.Since(c.swept) < sweepPause {
		return false
	}
	c.swept = time.Now()
	return true
}

// sweepAside sweeps in the pool, if that has room; nobody waits for it.
func (b *Broker) sweepAside() {
	select {
	case b.pool.jobs <- func() { b.connections.sweep() }:
	default:
	}
}

// add enters a host socket that is watched and takes over guest. grows tells whether its buffers
// may.
func (c *connections) add(host, guest int, grows bool) {
	cookie, errno := cookieOption(host, unix.SO_COOKIE)
	if errno != 0 {
		closeFD(guest) // also -1, which is no descriptor
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.byCookie) >= maxKept && guest >= 0 {
		closeFD(guest)
		guest = -1
	}
	if grows && c.growing >= c.growers() { // others were quicker
		fixBuffers(host)
		grows = false
	}
	if grows {
		c.growing++
	}
	c.byCookie[cookie] = connection{guest: guest, grows: grows}
}

// admit enters a host socket that connects again after it was forgotten, and
// reports whether there is room.
func (c *connections) admit(host int) bool {
	cookie, errno := cookieOption(host, unix.SO_COOKIE)
	if errno != 0 {
		return false
	}
	c.mu.Lock()
	_, known := c.byCookie[cookie]
	c.mu.Unlock()
	if known {
		return true
	}
	if c.full() && !c.sweep() || c.watch(host) != 0 {
		return false
	}
	c.add(host, -1, true)
	return true
}

// guestOf returns a new descriptor of the socket that a host socket took the
// place of, or -1.
func (c *connections) guestOf(host int) int {
	cookie, errno := cookieOption(host, unix.SO_COOKIE)
	if errno != 0 {
		return -1
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	found, known := c.byCookie[cookie]
	if !known || found.guest < 0 {
		return -1
	}
	fd, errno := fdControl(found.guest, unix.F_DUPFD_CLOEXEC, 0)
	if errno != 0 {
		return -1
	}
	return fd
}

func (c *connections) remove(host int) {
	cookie, _ := cookieOption(host, unix.SO_COOKIE)
	c.mu.Lock()
	defer c.mu.Unlock()
	c.forget(cookie)
}

func (c *connections) forget(cookie uint64) {
	if gone, known := c.byCookie[cookie]; known {
		if gone.guest >= 0 {
			closeFD(gone.guest)
		}
		if gone.grows {
			c.growing--
		}
		delete(c.byCookie, cookie)
	}
}

// sweep forgets the host sockets that are closed and reports whether there is
// room. For each that the kernel keeps all the same, one is not forgotten. What is
// entered meanwhile may not have been looked at.
func (c *connections) sweep() bool {
	closed, ok := c.closed()
	kept := 0
	if len(closed) > 0 {
		kept, ok = closedUnsent(len(closed))
	}
	if !ok {
		return false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.swept = time.Now()
	for _, cookie := range closed[min(kept, len(closed)):] {
		c.forget(cookie)
	}
	return len(c.byCookie) < c.limit
}

// closed returns the cookies of the host sockets that the sandbox has closed; ok is false
// where that cannot be told.
func (c *connections) closed() (cookies []uint64, ok bool) {
	c.mu.Lock()
	before := slices.Collect(maps.Keys(c.byCookie))
	c.mu.Unlock()
	live := make(map[uint64]bool)
	if eachWatched(c.open, func(w watched) { live[w.data] = true }) != nil {
		return nil, false
	}
	return slices.DeleteFunc(before, func(cookie uint64) bool { return live[cookie] }), true
}

func (c *connections) close() {
	c.mu.Lock()
	defer c.mu.Unlock()
	for cookie := range c.byCookie {
		c.forget(cookie)
	}
	closeFD(c.open)
}
