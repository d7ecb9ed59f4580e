package broker

import (
	"runtime"
	"unsafe"

	"golang.org/x/sys/unix"
)

// move is one registration that goes from one file to another, ready for the
// forked child, which cannot allocate.
type move struct {
	epoll, number uintptr
	event         unix.EpollEvent
}

// moveEntries registers file to in the place of file from. Epoll knows an entry
// by file and descriptor number, so this must be done where the sockets have the
// caller's numbers: in a short-lived copy of this process, whose descriptors can
// be overwritten. A thread with a table of its own would not do, as the Go
// runtime could poll or write to a number there at any moment.
//
// ADD looks for readiness at once, so no event is lost; what cannot be moved is
// lost with the old socket, and the program waits in vain.
func moveEntries(entries []entry, from, to int) {
	moves := make([]move, len(entries))
	highest := max(from, to)
	for i, e := range entries {
		moves[i] = move{epoll: uintptr(e.epoll), number: uintptr(e.number), event: epollEvent(e.events, e.data)}
		highest = max(highest, e.epoll, e.number)
	}
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	all, old := ^uint64(0), uint64(0)
	maskSignals(&all, &old)
	pid := forkAndMove(moves, uintptr(from), uintptr(to), uintptr(highest)+1)
	maskSignals(&old, nil)
	if pid > 0 {
		var status uint32
		for {
			_, _, errno := unix.Syscall6(unix.SYS_WAIT4, pid, uintptr(unsafe.Pointer(&status)), unix.WALL, 0, 0, 0)
			if errno != unix.EINTR {
				return
			}
		}
	}
}

func maskSignals(set, old *uint64) {
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGPROCMASK, unix.SIG_SETMASK,
		uintptr(unsafe.Pointer(set)), uintptr(unsafe.Pointer(old)), unsafe.Sizeof(*set), 0, 0)
}

// forkAndMove forks and returns the child's id, or 0 if there is none. The child
// does not return.
//
// Runs in: the child has one thread and a copy of the parent's memory, in which
// any lock may be held, and all signals blocked. Only raw system calls: nothing
// that allocates, grows the stack or can be preempted.
//
//go:norace
//go:nosplit
//go:noinline
func forkAndMove(moves []move, from, to, base uintptr) uintptr {
	// No exit signal: nobody but the wait for this child learns of it.
	pid, _, errno := unix.RawSyscall6(unix.SYS_CLONE, 0, 0, 0, 0, 0, 0)
	if errno != 0 {
		return 0
	}
	if pid != 0 {
		return pid
	}
	// Out of the way of the caller's numbers.
	from, _, _ = unix.RawSyscall(unix.SYS_FCNTL, from, unix.F_DUPFD, base)
	to, _, _ = unix.RawSyscall(unix.SYS_FCNTL, to, unix.F_DUPFD, base)
	for i := range moves {
		m := &moves[i]
		epoll, _, _ := unix.RawSyscall(unix.SYS_FCNTL, m.epoll, unix.F_DUPFD, base)
		_, _, _ = unix.RawSyscall(unix.SYS_DUP3, from, m.number, 0)
		_, _, _ = unix.RawSyscall6(unix.SYS_EPOLL_CTL, epoll, unix.EPOLL_CTL_DEL, m.number, 0, 0, 0)
		_, _, _ = unix.RawSyscall(unix.SYS_DUP3, to, m.number, 0)
		_, _, _ = unix.RawSyscall6(unix.SYS_EPOLL_CTL, epoll, unix.EPOLL_CTL_ADD, m.number,
			uintptr(unsafe.Pointer(&m.event)), 0, 0)
	}
	for {
		_, _, _ = unix.RawSyscall(unix.SYS_EXIT_GROUP, 0, 0, 0)
	}
}
