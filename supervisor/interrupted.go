package supervisor

import (
	"os"
	"os/signal"
	"time"

	"golang.org/x/sys/unix"
)

// interruptedBy returns what sends the caller's SIGINT again, if that is what ended
// the run; otherwise nil. A key that was typed for the program alone becomes a signal
// for the whole job, as it would have without the sandbox.
func (s *sandbox) interruptedBy(r *Report) func() {
	if r.Outcome != Signaled || r.Signal != unix.SignalName(unix.SIGINT) {
		return nil
	}
	if s.stdio != nil && s.stdio.Terminal != nil && s.stdio.Terminal.interruptedLately() {
		job := s.stdio.Terminal.job
		s.stdio.Terminal.job = nil // it outlives the terminal
		return job.interrupt
	}
	if s.signals != nil && s.signals.interrupted.Load() {
		return func() { _ = unix.Kill(unix.Getpid(), unix.SIGINT) }
	}
	return nil
}

// lately is how long after the key a program may end by SIGINT because of it: it may
// have much to put in order before.
const lately = 30 * time.Second

func (t *Terminal) interruptedLately() bool {
	return time.Since(time.Unix(0, t.interrupted.Load())) < lately
}

// EndAsInterrupted ends this process by SIGINT where the caller's SIGINT ended the
// run in the foreground of a terminal. A shell leaves its script or loop for ^C only
// if what it waits for ended so; an exit with status 130 means to it that the program
// has handled the signal. It returns where none of this is the case, and where SIGINT
// is ignored.
func (r *Report) EndAsInterrupted() {
	if r.interrupt == nil || !inForeground() {
		return
	}
	signal.Reset(unix.SIGINT)
	r.interrupt()
	if !signal.Ignored(unix.SIGINT) {
		<-time.After(time.Second) // another thread may take the signal
	}
}

// inForeground is true for a member of the foreground job of its controlling terminal.
func inForeground() bool {
	tty, err := os.OpenFile("/dev/tty", os.O_RDONLY|unix.O_NOCTTY|unix.O_NONBLOCK, 0)
	if err != nil {
		return false
	}
	defer tty.Close()
	group, err := unix.IoctlGetInt(int(tty.Fd()), unix.TIOCGPGRP)
	return err == nil && group == unix.Getpgrp()
}

// job can send SIGINT to the caller's process group with the rights that the
// supervisor had when it was made: root's is another user by the end of the run. It is
// a pipe whose reader is told of input by that signal (fcntl(2), F_SETOWN).
type job struct{ read, write int }

// findJob returns nil where it cannot be made: then a shell goes on after ^C.
func findJob() *job {
	var fds [2]int
	if err := unix.Pipe2(fds[:], unix.O_CLOEXEC|unix.O_NONBLOCK); err != nil {
		return nil
	}
	j := &job{read: fds[0], write: fds[1]}
	for _, step := range []struct{ command, value int }{
		{unix.F_SETOWN, -unix.Getpgrp()},
		{unix.F_SETSIG, int(unix.SIGINT)},
		{unix.F_SETFL, unix.O_NONBLOCK | unix.O_ASYNC},
	} {
		if _, err := unix.FcntlInt(uintptr(j.read), step.command, step.value); err != nil {
			j.close()
			return nil
		}
	}
	return j
}

func (j *job) interrupt() {
	if j != nil {
		_, _ = unix.Write(j.write, []byte{1})
	}
}

func (j *job) close() {
	if j != nil {
		_ = unix.Close(j.read)
		_ = unix.Close(j.write)
	}
}
