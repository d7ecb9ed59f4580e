package broker

import (
	"maps"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// errRestartSys makes the kernel run the signal's handler and then either
// restart the call or return EINTR, as the handler was installed with or without
// SA_RESTART (ERESTARTSYS of linux/errno.h, which never reaches a program that
// has a signal to take).
const errRestartSys = syscall.Errno(512)

// lookShare keeps the watcher to a part of one processor, however many calls wait.
const lookShare = 8

// watch looks at the waiting calls until there are none.
func (p *pending) watch(b *Broker) {
	files := statusFiles{}
	defer files.keep(nil)
	timer := time.NewTimer(lookEvery)
	defer timer.Stop()
	for {
		select {
		case <-p.stopped:
			return
		case <-timer.C:
		}
		begin := time.Now()
		calls := p.all()
		files.keep(calls)
		for _, w := range calls {
			b.look(w, files)
		}
		if p.idle() {
			return
		}
		timer.Reset(max(lookEvery, lookShare*time.Since(begin)))
	}
}

func (p *pending) all() map[uint64]*waiting {
	p.mu.Lock()
	defer p.mu.Unlock()
	return maps.Clone(p.calls)
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
func (b *Broker) look(w *waiting, files statusFiles) {
	if !b.listener.valid(w.req.ID) {
		if b.pending.take(w.req.ID) != nil {
			b.pending.end(w)
		}
		return
	}
	if errno := w.interruption(files); errno != 0 {
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
func (w *waiting) interruption(files statusFiles) syscall.Errno {
	errno := interruptedBy(w.req.thread, files.signals(w))
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
func interruptedBy(th *thread, own signals) syscall.Errno {
	if own.thread&^own.blocked != 0 {
		return errRestartSys
	}
	shared := own.process &^ own.blocked
	if shared == 0 {
		return 0
	}
	process := th.identity().process
	if th.tid == process {
		return errRestartSys
	}
	if main := signalsOf(process); shared&main.blocked != 0 {
		return unix.EINTR
	}
	return 0
}
