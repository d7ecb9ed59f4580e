package supervisor

import (
	"os"
	"runtime"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/sigaction"
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
	if s.stdio.Terminal != nil {
		s.stdio.Terminal.Restore()
	}
	stopJob()
	if s.pidfd >= 0 {
		s.resume()
	}
}

// stopJob stops this process's job and returns when it has been continued. This
// process stops last, by a signal to this very thread: that is delivered before
// tgkill(2) returns, so nothing runs on in between. Members of the job that run
// as somebody else, beside a supervisor that has given up root, are not stopped.
func stopJob() {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	old, err := sigaction.Set(unix.SIGTSTP, sigaction.Action{Handler: sigaction.Ignore})
	if err != nil {
		return
	}
	_ = unix.Kill(0, unix.SIGTSTP)
	if _, err := sigaction.Set(unix.SIGTSTP, sigaction.Action{Handler: sigaction.Default}); err == nil {
		_ = unix.Tgkill(os.Getpid(), unix.Gettid(), unix.SIGTSTP)
	}
	_, _ = sigaction.Set(unix.SIGTSTP, old)
}
