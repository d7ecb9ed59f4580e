package supervisor

import (
	"os"
	"os/signal"
	"runtime"

	"golang.org/x/sys/unix"
)

// Suspend stops pysandbox because the program has stopped (^Z on its terminal),
// so that the shell gets its prompt back; it returns when the shell continues
// pysandbox, and has continued the program then.
//
// The caller's terminal is restored first, and the whole job is stopped, as ^Z
// would: a shell waits for every process of a pipeline. The signal is SIGTSTP,
// not SIGSTOP: where no shell could continue the job (it is orphaned, setpgid(2)),
// the kernel does not stop it, and the program goes on at once.
func (s *Signals) Suspend() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.terminal != nil {
		s.terminal.Restore()
	}
	stopJob()
	if !signal.Ignored(unix.SIGTSTP) {
		signal.Notify(s.incoming, unix.SIGTSTP)
	}
	if s.pidfd >= 0 {
		s.resume()
	}
}

// stopJob stops this process's job and returns when it has been continued. This
// process stops last, by a signal to this very thread: that is delivered before
// tgkill(2) returns, so nothing runs on in between. Members of the job that run
// as somebody else, beside a supervisor that has given up root, are not stopped.
func stopJob() {
	signal.Reset(unix.SIGTSTP)
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, unix.SIGTSTP)
	if unix.Kill(0, unix.SIGTSTP) == nil {
		<-caught
	}
	signal.Reset(unix.SIGTSTP)
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTSTP)
}
