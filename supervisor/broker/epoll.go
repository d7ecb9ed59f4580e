package broker

import (
	"slices"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/seccomp"
)

// maxEpolls bounds the epolls that are watched for registrations of sockets that
// are handed off. Those of an epoll that was forgotten are lost: the program
// waits, nothing opens.
const maxEpolls = 64

// epolls are our duplicates of the epolls that the sandbox has made.
type epolls struct {
	mu  sync.Mutex
	fds []int // oldest first
}

// epollCreate answers epoll_create(2) and epoll_create1(2): an epoll made here
// is known here, by whatever number the program calls it later.
func (b *Broker) epollCreate(req *request) reply {
	flags := int(int32(req.Args[0]))
	if req.Syscall == unix.SYS_EPOLL_CREATE {
		if flags <= 0 { // a size
			return performed(-1, unix.EINVAL)
		}
		flags = 0
	}
	if flags&^unix.EPOLL_CLOEXEC != 0 {
		return performed(-1, unix.EINVAL)
	}
	fd, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return performed(-1, errnos.Of(err))
	}
	// With FLAG_SEND the kernel answers the call with the new number in the same
	// step, so that no signal can come between (Linux 5.14).
	err = b.listener.addFD(req.ID, fd, 0, seccomp.AddFDSend, flags != 0)
	if err != nil {
		unix.Close(fd)
		return performed(-1, errnos.Of(err))
	}
	b.epolls.keep(fd)
	return postponed()
}

func (e *epolls) keep(fd int) {
	e.mu.Lock()
	defer e.mu.Unlock()
	if len(e.fds) == maxEpolls {
		unix.Close(e.fds[0])
		e.fds = append(e.fds[:0], e.fds[1:]...)
	}
	e.fds = append(e.fds, fd)
}

func (e *epolls) close() {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, fd := range e.fds {
		unix.Close(fd)
	}
	e.fds = nil
}

// entry is one registration of a file in an epoll, as epoll keys it.
type entry struct {
	epoll  int
	number int // of the caller's descriptor
	events uint32
	data   uint64
}

// maxEntries bounds the registrations that move with one socket; the rest is lost.
const maxEntries = 4096

// fewNumbers is for how many numbers an epoll is asked one by one. To read all that
// it watches takes longer than a few questions, but does not multiply.
const fewNumbers = 8

// entriesOf finds the registrations of a file under numbers.
func (e *epolls) entriesOf(b *Broker, file int, numbers []int) []entry {
	e.mu.Lock()
	defer e.mu.Unlock()
	numbers = slices.Sorted(slices.Values(numbers))
	var found []entry
	for _, epoll := range e.fds {
		if len(numbers) <= fewNumbers && !slices.ContainsFunc(numbers, func(number int) bool { return b.mayWatch(epoll, number, file) }) {
			continue
		}
		found = append(found, readEntries(epoll, numbers, file)...)
		if len(found) >= maxEntries {
			return found[:maxEntries]
		}
	}
	return found
}

// mayWait reports whether an epoll may have a registration of a file under number.
func (e *epolls) mayWait(b *Broker, file, number int) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.ContainsFunc(e.fds, func(epoll int) bool { return b.mayWatch(epoll, number, file) })
}

// mayWatch asks whether an epoll has an entry of that number for that file; an
// epoll has several entries of one number if the number was reused. Of many it is
// not said.
func (b *Broker) mayWatch(epoll, number, file int) bool {
	for skip := range maxReused {
		ours, exists := b.watches(epoll, number, skip, file)
		if ours || !exists {
			return ours
		}
	}
	return true
}

// maxReused bounds the entries of one number that are asked for.
const maxReused = 8
