package broker

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/sigaction"
)

// longestConnect is how long a connect on a socket of the caller's may hold our
// thread.
const longestConnect = 20 * time.Millisecond

// interruptSignal ends a system call of ours that waits. The runtime handles
// SIGPROF, and does nothing about it unless the process is being profiled; it is
// blocked in no thread of the runtime's.
const interruptSignal = unix.SIGPROF

// connectShared is connect(2) on a socket that the caller has open too. Whether it
// waits is then for the caller to say at any moment: O_NONBLOCK belongs to the open
// file, and can be cleared between our look at it and the call. One that waits is
// interrupted: EINTR, and the connection may be under way.
func connectShared(fd int, address []byte) syscall.Errno {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	i := interruptLater(unix.Gettid())
	errno := connectWaiting(fd, address)
	i.cancel()
	return errno
}

// interrupt ends what a thread waits for, again and again until it is canceled.
type interrupt struct {
	mu    sync.Mutex
	tid   int
	timer *time.Timer
	sent  bool
	over  bool
}

func interruptLater(tid int) *interrupt {
	i := &interrupt{tid: tid}
	i.mu.Lock()
	defer i.mu.Unlock()
	i.timer = time.AfterFunc(longestConnect, i.send)
	return i
}

func (i *interrupt) send() {
	i.mu.Lock()
	defer i.mu.Unlock()
	if i.over {
		return
	}
	i.sent = true
	_ = unix.Tgkill(os.Getpid(), i.tid, interruptSignal) // of a thread that is locked to its call
	i.timer.Reset(longestConnect)
}

// cancel is called by the thread itself.
func (i *interrupt) cancel() {
	i.mu.Lock()
	i.over = true
	i.mu.Unlock()
	i.timer.Stop()
	if i.sent {
		// A signal that came too late is handled at the end of the next call, which
		// must be one that it cannot disturb.
		_ = unix.Getppid()
	}
}

// underWay is the error of a connect that waits, or would: EINPROGRESS.
func underWay(errno syscall.Errno) syscall.Errno {
	if errno == unix.EALREADY || errno == unix.EINTR {
		return unix.EINPROGRESS
	}
	return errno
}

// queueFull is the error of a connect to a local socket that waits, or would.
func queueFull(errno syscall.Errno) syscall.Errno {
	if errno == unix.EINTR {
		return unix.EAGAIN
	}
	return errno
}

// endCallsBy lets a signal end the call that it interrupts, which the runtime's
// handlers would have the kernel restart.
func endCallsBy(sig syscall.Signal) error {
	act, err := sigaction.Get(sig)
	if err == nil && act.Flags&sigaction.Restart != 0 {
		act.Flags &^= sigaction.Restart
		_, err = sigaction.Set(sig, act)
	}
	if err != nil {
		return fmt.Errorf("let signal %d end system calls: %w", sig, err)
	}
	return nil
}
