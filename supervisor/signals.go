package supervisor

import (
	"errors"
	"os"
	"os/signal"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// Signals passes the caller's signals on to the program.
//
//	before the program runs   INT, TERM, HUP, QUIT end the run: 128+n. Without a
//	                          terminal, by their default action, and the sandbox
//	                          with it: to catch them takes a third of a millisecond
//	then                      each goes to the program, which does with it what
//	                          it likes; the second INT or TERM kills the tree,
//	                          unless it is an echo of the first (isEcho)
//	after the program         INT and TERM end the run: they give up what is
//	                          left of the output
//	TSTP                      goes to the program; if that stops, Suspend
//	CONT                      goes to the program's job, and the terminal is
//	                          taken again
//	WINCH                     gives the program's terminal the new size; without
//	                          one it goes to the program
//
// A signal that was ignored when pysandbox started (nohup(1), a shell's
// background jobs) stays ignored. ^C typed at a terminal in raw mode is no signal
// here: the program's own terminal makes it one there.
type Signals struct {
	incoming chan os.Signal
	stop     chan struct{}
	done     chan struct{}
	end      func(Cause)

	mu    sync.Mutex
	pidfd int    // of the program; -1 before it runs
	group int    // the program's process group on the host
	stdio *Stdio // of the program
	first first  // INT or TERM that was passed on
	left  bool   // see Leave

	interrupted atomic.Bool // a SIGINT came before the end
}

// first is the signal that the program may end at. Its zero value is none.
type first struct {
	signal  syscall.Signal
	at      time.Time
	written int64 // bytes that the program had written then
}

// echo is how long after a signal the same one can be its echo.
const echo = 100 * time.Millisecond

// passed lists the signals that are passed on.
func passed() []syscall.Signal {
	return []syscall.Signal{
		unix.SIGINT, unix.SIGTERM, unix.SIGHUP, unix.SIGQUIT, unix.SIGUSR1, unix.SIGUSR2,
		unix.SIGCONT, unix.SIGTSTP, unix.SIGWINCH,
	}
}

// CatchSignals catches the caller's signals from here on. It calls end, in its
// own goroutine, when one of them ends the run.
func CatchSignals(end func(Cause)) *Signals {
	s := &Signals{
		incoming: make(chan os.Signal, 16), stop: make(chan struct{}), done: make(chan struct{}),
		end: end, pidfd: -1, stdio: &Stdio{},
	}
	var wanted []os.Signal
	for _, sig := range passed() {
		if !signal.Ignored(sig) {
			wanted = append(wanted, sig)
		}
	}
	if len(wanted) > 0 { // none would mean all
		signal.Notify(s.incoming, wanted...)
	}
	go s.run()
	return s
}

// Attach names the program, which runs from here on: pidfd, which the caller
// keeps open until Stop, its pid on the host, and what it reads and writes.
func (s *Signals) Attach(pidfd, pid int, stdio *Stdio) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pidfd, s.group, s.stdio = pidfd, pid, stdio
}

// Leave makes each signal do what it does by default when it comes: for a process
// that is about to exit. Stop changes every action and waits for each change,
// 0.2 ms in all.
func (s *Signals) Leave() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.left = true
}

// Stop gives the signals back their default actions.
func (s *Signals) Stop() {
	signal.Stop(s.incoming)
	close(s.stop)
	<-s.done
}

func (s *Signals) run() {
	defer close(s.done)
	for {
		select {
		case <-s.stop:
			return
		case sig := <-s.incoming:
			if number, ok := sig.(syscall.Signal); ok {
				s.handle(number)
			}
		}
	}
}

// handle deals with one signal.
func (s *Signals) handle(sig syscall.Signal) {
	s.mu.Lock()
	defer s.mu.Unlock()
	deadly := sig == unix.SIGINT || sig == unix.SIGTERM
	switch {
	case s.left:
		signal.Reset(sig)
		_ = unix.Kill(unix.Getpid(), sig)
		return
	case sig == unix.SIGINT:
		s.interrupted.Store(true)
	}
	switch {
	case s.pidfd < 0:
		if deadly || sig == unix.SIGHUP || sig == unix.SIGQUIT {
			s.end(Cause{Kind: CauseSignal, Signal: sig})
		}
		return
	case deadly && s.first.signal != 0:
		if !s.isEcho(sig) {
			s.end(Cause{Kind: CauseSignal, Signal: sig})
		}
		return
	case deadly:
		s.first = first{sig, time.Now(), s.stdio.Written()}
	case sig == unix.SIGWINCH && s.stdio.Terminal != nil:
		s.stdio.Terminal.Resize()
		return
	case sig == unix.SIGCONT:
		s.resume()
		return
	}
	err := unix.PidfdSendSignal(s.pidfd, sig, nil, 0)
	if deadly && errors.Is(err, unix.ESRCH) { // only the rest of its output is left
		s.end(Cause{Kind: CauseSignal, Signal: sig})
	}
}

// isEcho is whether sig is what came first, sent twice at once, as timeout(1) does: to
// its child, and then to the child's group. Who has seen the program answer the first
// means the second.
func (s *Signals) isEcho(sig syscall.Signal) bool {
	return sig == s.first.signal && time.Since(s.first.at) < echo && s.stdio.Written() == s.first.written
}

// resume takes the terminal again and continues the program's job.
func (s *Signals) resume() {
	if s.stdio.Terminal != nil {
		s.stdio.Terminal.Resume()
	}
	// PIDFD_SIGNAL_PROCESS_GROUP, Linux 6.9.
	const processGroup = 1 << 2
	err := unix.PidfdSendSignal(s.pidfd, unix.SIGCONT, nil, processGroup)
	if errors.Is(err, unix.EINVAL) {
		err = unix.Kill(-s.group, unix.SIGCONT)
	}
	if err != nil { // it leads no group of its own
		_ = unix.PidfdSendSignal(s.pidfd, unix.SIGCONT, nil, 0)
	}
}
