package broker

import (
	"fmt"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// orphans tells whether a socket that we have let go of is still open elsewhere:
// at another number, in another process, or in a message under way. Epoll forgets
// a file when its last descriptor closes and not before (epoll(7), question 6), so
// one look tells, however many descriptors the program has. Only the serve thread
// uses it.
type orphans struct {
	epoll int
	last  uint64 // name of the last socket, as each gets another
}

func newOrphans() (orphans, error) {
	epoll, err := unix.EpollCreate1(unix.EPOLL_CLOEXEC)
	if err != nil {
		return orphans{}, fmt.Errorf("make an epoll for sockets that are let go: %w", err)
	}
	return orphans{epoll: epoll}, nil
}

func (o *orphans) close() { closeFD(o.epoll) }

// watch begins with a socket that is not connected: it has hung up, which epoll
// reports whether asked or not.
func (o *orphans) watch(fd int) (name uint64, errno syscall.Errno) {
	o.last++
	event := epollEvent(unix.EPOLLONESHOT, o.last)
	return o.last, errnos.Of(unix.EpollCtl(o.epoll, unix.EPOLL_CTL_ADD, fd, &event))
}

// forget gives up on a socket that is not let go after all.
func (o *orphans) forget(fd int) { _ = unix.EpollCtl(o.epoll, unix.EPOLL_CTL_DEL, fd, nil) }

// alive reports whether the socket that was watched last is open elsewhere.
func (o *orphans) alive() bool { return epollReady(o.epoll) }

// inode is the inode number of a watched socket that lives on, or 0.
func (o *orphans) inode(name uint64) uint64 {
	var inode uint64
	_ = eachWatched(o.epoll, func(w watched) {
		if w.data == name {
			inode = w.inode
		}
	})
	return inode
}

// mayLetGo reports whether the sandbox's own socket can be given up when a host
// socket takes its place. If it comes back one day, PID 1 makes a new one; so one
// with an address stays, and one that an epoll waits for is moved there first.
func (b *Broker) mayLetGo(req *request, s *socket, from source) bool {
	return b.config.Socket != nil && !req.pooled && !from.bound &&
		!b.epolls.mayWait(b, s.fd, s.number)
}

// letGo replaces the caller's socket by another at its number and closes ours.
// Where it is open elsewhere still, it has a name.
func (b *Broker) letGo(req *request, s *socket, by int) (name uint64, errno syscall.Errno) {
	name, errno = b.orphans.watch(s.fd)
	if errno != 0 {
		return 0, errno
	}
	if errno := b.replaceOwn(req, s, by); errno != 0 {
		b.orphans.forget(s.fd)
		return 0, errno
	}
	s.release()
	if !b.orphans.alive() {
		return 0, 0
	}
	return name, 0
}

// replaceOrphan replaces a socket that was let go wherever else the caller's
// process has it. What then is left of it keeps leading nowhere, and the record
// says so. It runs in the pool.
func (b *Broker) replaceOrphan(req *request, name uint64, by int) {
	inode := b.orphans.inode(name)
	pidfd, err := openPidfd(int(req.PID))
	if inode == 0 || err != nil || b.settle(req) != 0 {
		return
	}
	defer closeFD(pidfd)
	b.replaceAll(req, pidfd, inode, by)
	if b.orphans.inode(name) != 0 {
		b.leftBehind(req)
	}
}

// leftBehind records that a socket which was let go is open elsewhere still, where
// it leads nowhere.
func (b *Broker) leftBehind(req *request) {
	left := b.denial(req, "handoff", req.record.Target, ruleHandoff)
	left.Original = "a socket that another process, a message or a waiting call has"
	left.Errno = errnos.Name(unix.ENOTCONN)
	who := req.thread.identity()
	left.PID, left.TID = who.pid, who.tid
	left.Latency = time.Since(req.received)
	b.sink.Record(*left)
}

// replaceAll replaces the socket of an inode number wherever the caller's process
// has it. Epoll registrations move along.
func (b *Broker) replaceAll(req *request, pidfd int, inode uint64, by int) {
	socket := -1
	var numbers []int
	for _, number := range numbersOf(int(req.PID)) {
		fd, errno := fdOfThread(pidfd, number)
		if errno != 0 {
			continue
		}
		if !isSocketOf(fd, inode) {
			closeFD(fd)
			continue
		}
		numbers = append(numbers, number)
		closeFD(socket) // also -1, which is no descriptor
		socket = fd
	}
	if socket < 0 {
		return
	}
	defer closeFD(socket)
	entries := b.epolls.entriesOf(b, socket, numbers)
	for _, number := range numbers {
		if same, _ := b.sameFile(socket, int(req.PID), number); same {
			_ = b.replace(req, by, number)
		}
	}
	if len(entries) > 0 {
		moveEntries(entries, socket, by)
	}
}

// isSocketOf tells a socket from a file that has the same inode number.
func isSocketOf(fd int, inode uint64) bool {
	if found, errno := inodeOf(fd); errno != 0 || found != inode {
		return false
	}
	_, errno := intOption(fd, unix.SO_TYPE)
	return errno == 0
}

// freshSocket has a socket of the sandbox's own made, to take the place of a host
// socket. It waits for PID 1.
func (b *Broker) freshSocket(domain int) (int, syscall.Errno) {
	if b.config.Socket == nil {
		return -1, unix.EINVAL
	}
	fd, err := b.config.Socket(domain)
	if err != nil {
		return -1, errnos.Of(err)
	}
	return fd, 0
}
