package broker

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"strconv"
	"sync"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

// maxThreads bounds the cache of threads; each entry holds up to two descriptors.
const maxThreads = 256

// thread is one caller. Its pidfd makes sure that a reused id is noticed.
type thread struct {
	tid     int
	pidfd   int
	table   int      // its /proc/<tid>/fd, -1 until it is needed
	connect *request // its last connect that was received

	identify sync.Once
	ids      identity
}

// identity names a caller; a number that is unknown is 0.
type identity struct {
	process  int // process id on the host
	pid, tid int // process and thread id inside the sandbox
}

// threads remembers the pidfds of callers. Only the serve thread uses it.
type threads struct {
	byID     map[int]*thread
	order    []int // ring of ids, oldest at next
	next     int
	noThread bool // the kernel has no PIDFD_THREAD (before Linux 6.9)
}

func newThreads() threads {
	return threads{byID: make(map[int]*thread)}
}

// caller returns the thread that made the call.
func (b *Broker) caller(req *request) (*thread, syscall.Errno) {
	if req.thread != nil {
		return req.thread, 0
	}
	th := b.threads.byID[int(req.PID)]
	if th == nil {
		var errno syscall.Errno
		if th, errno = b.openCaller(req); errno != 0 {
			return nil, errno
		}
	}
	req.thread = th
	if req.Syscall == unix.SYS_CONNECT {
		th.connect = req
	}
	return th, 0
}

// recall finds the last connect of the thread that made the call, without asking
// the kernel. That of an ended thread with the same id does no harm: it can only
// have been lost, and then more is asked than is needed.
func (b *Broker) recall(req *request) {
	if th := b.threads.byID[int(req.PID)]; th != nil {
		req.previous = th.connect
	}
}

func (b *Broker) openCaller(req *request) (*thread, syscall.Errno) {
	pidfd, err := b.threads.open(int(req.PID))
	if err != nil {
		return nil, errnos.Of(err)
	}
	if !b.listener.valid(req.ID) {
		unix.Close(pidfd)
		return nil, unix.ESRCH
	}
	th := &thread{tid: int(req.PID), pidfd: pidfd, table: -1}
	b.threads.put(th)
	return th, 0
}

// open returns a pidfd of the thread itself, or of its process where the kernel
// cannot: the filter refuses threads with a descriptor table of their own, so
// both see the same descriptors.
func (t *threads) open(tid int) (int, error) {
	if !t.noThread {
		fd, err := unix.PidfdOpen(tid, unix.PIDFD_THREAD)
		if !errors.Is(err, unix.EINVAL) {
			return fd, err
		}
		t.noThread = true
	}
	return openProcess(tid)
}

// openPidfd is open for a thread that is asked about once.
func openPidfd(tid int) (int, error) { return (&threads{}).open(tid) }

// openProcess returns a pidfd of the process of a thread.
func openProcess(tid int) (int, error) {
	who, err := identityOf(tid)
	if err != nil {
		return -1, err
	}
	return unix.PidfdOpen(who.process, 0)
}

func (t *threads) put(th *thread) {
	if old := t.byID[th.tid]; old != nil {
		old.close()
		t.byID[th.tid] = th
		return
	}
	if len(t.order) < maxThreads {
		t.order = append(t.order, th.tid)
	} else {
		if old := t.byID[t.order[t.next]]; old != nil {
			old.close()
			delete(t.byID, old.tid)
		}
		t.order[t.next] = th.tid
		t.next = (t.next + 1) % maxThreads
	}
	t.byID[th.tid] = th
}

func (t *threads) close() {
	for _, th := range t.byID {
		th.close()
	}
	t.byID = nil
}

func (th *thread) close() {
	closeFD(th.pidfd)
	closeFD(th.table) // also -1, which is no descriptor
}

// duplicate takes a duplicate of the caller's descriptor (pidfd_getfd(2)). What
// the number refers to may change at once; the duplicate does not.
func (b *Broker) duplicate(req *request, number int) (int, syscall.Errno) {
	th, errno := b.caller(req)
	if errno != 0 {
		return -1, errno
	}
	fd, errno := fdOfThread(th.pidfd, number)
	if errno == unix.ESRCH || errno == unix.EBADF && !alive(th.pidfd) {
		// The id belongs to another thread than the one that we knew.
		if th, errno = b.openCaller(req); errno != 0 {
			return -1, errno
		}
		req.thread = th
		fd, errno = fdOfThread(th.pidfd, number)
	}
	if errno == 0 && b.threads.noThread { // the process lives; the thread may not
		errno = b.settle(req)
		if errno != 0 {
			closeFD(fd)
		}
	}
	if errno != 0 {
		return -1, errno
	}
	return fd, 0
}

// alive reports whether the thread of a pidfd has not ended.
func alive(pidfd int) bool {
	return unix.PidfdSendSignal(pidfd, 0, nil, 0) == nil
}

// identity reads the identity of the thread once.
func (th *thread) identity() identity {
	th.identify.Do(func() { th.ids, _ = identityOf(th.tid) })
	return th.ids
}

// identityOf reads the identity of a thread (proc_pid_status(5): Tgid, and NStgid
// and NSpid, whose last number is that of the innermost PID namespace).
func identityOf(tid int) (identity, error) {
	var who identity
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return who, fmt.Errorf("read the status of thread %d: %w", tid, err)
	}
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		fields := bytes.Fields(value)
		if len(fields) == 0 {
			continue
		}
		number, _ := strconv.Atoi(string(fields[len(fields)-1]))
		switch string(name) {
		case "Tgid":
			who.process = number
		case "NStgid":
			who.pid = number
		case "NSpid":
			who.tid = number
		}
	}
	return who, nil
}
