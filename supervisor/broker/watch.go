package broker

import (
	"bytes"
	"os"
	"strconv"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errRestartSys makes the kernel run the signal's handler and then either
// restart the call or return EINTR, as the handler was installed with or without
// SA_RESTART (ERESTARTSYS of linux/errno.h, which never reaches a program that
// has a signal to take).
const errRestartSys = syscall.Errno(512)

// watch looks at the waiting calls until there are none.
func (p *pending) watch(b *Broker) {
	ticker := time.NewTicker(lookEvery)
	defer ticker.Stop()
	for {
		select {
		case <-p.stopped:
			return
		case <-ticker.C:
		}
		for _, w := range p.all() {
			b.look(w)
		}
		if p.idle() {
			return
		}
	}
}

func (p *pending) all() []*waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	calls := make([]*waiting, 0, len(p.calls))
	for _, w := range p.calls {
		calls = append(calls, w)
	}
	return calls
}

// idle ends the watcher's turn if nothing waits.
func (p *pending) idle() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.calls) > 0 {
		return false
	}
	p.watched = false
	return true
}

// look answers a waiting call if a deadline, a signal or a retry ends it, and
// drops it if its caller is gone.
func (b *Broker) look(w *waiting) {
	if !b.listener.valid(w.req.ID) {
		if b.pending.take(w.req.ID) != nil {
			b.pending.end(w)
		}
		return
	}
	if errno := b.interruption(w); errno != 0 {
		if b.pending.take(w.req.ID) != nil {
			b.finish(w, performed(-1, errno))
		}
		return
	}
	if !w.polled {
		b.attempt(w)
	}
}

// attempt goes on with a call that no event tells about.
func (b *Broker) attempt(w *waiting) {
	if b.pending.take(w.req.ID) == nil {
		return
	}
	if r := w.attempt(); r.errno != unix.EAGAIN {
		b.finish(w, r)
		return
	}
	b.pending.mu.Lock()
	defer b.pending.mu.Unlock()
	b.pending.calls[w.req.ID] = w
}

// interruption is what ends a waiting call before its time, or 0.
func (b *Broker) interruption(w *waiting) syscall.Errno {
	errno := interruptedBy(w.req.thread)
	switch {
	case errno == errRestartSys && w.timed:
		return unix.EINTR // signal(7): not restarted with SO_SNDTIMEO
	case errno != 0:
		return errno
	case !time.Now().After(w.deadline):
		return 0
	case w.timed:
		return w.expired
	}
	return unix.ETIMEDOUT
}

// interruptedBy returns what a signal that waits for the thread makes of its
// call, or 0.
//
// ERESTARTSYS is right only for the thread that the kernel has told to take the
// signal; another would see the number itself. A signal of the whole process is
// given to its main thread unless that one blocks it (complete_signal of
// kernel/signal.c); in that case EINTR is safe for whoever waits.
func interruptedBy(th *thread) syscall.Errno {
	own, ok := signalsOf(th.tid)
	if !ok {
		return 0
	}
	if own.thread&^own.blocked != 0 {
		return errRestartSys
	}
	shared := own.process &^ own.blocked
	tgid := th.identity().process
	if shared == 0 || th.tid == tgid {
		if shared != 0 {
			return errRestartSys
		}
		return 0
	}
	if main, ok := signalsOf(tgid); ok && shared&main.blocked != 0 {
		return unix.EINTR
	}
	return 0
}

// signals are the masks of one thread (proc_pid_status(5)).
type signals struct{ thread, process, blocked uint64 }

func signalsOf(tid int) (s signals, ok bool) {
	status, err := os.ReadFile("/proc/" + strconv.Itoa(tid) + "/status")
	if err != nil {
		return s, false
	}
	for line := range bytes.Lines(status) {
		name, value, _ := bytes.Cut(line, []byte(":"))
		var field *uint64
		switch string(name) {
		case "SigPnd":
			field = &s.thread
		case "ShdPnd":
			field = &s.process
		case "SigBlk":
			field = &s.blocked
		default:
			continue
		}
		if *field, err = strconv.ParseUint(string(bytes.TrimSpace(value)), 16, 64); err != nil {
			return s, false
		}
	}
	return s, true
}
