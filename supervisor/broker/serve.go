package broker

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/seccomp"
)

// maxPanics is how many calls may make the broker panic before Serve gives up,
// which ends the sandbox.
const maxPanics = 8

// firstPatience is how long the program's execve may take to come, in milliseconds,
// before Serve takes it for one that is not asked about.
const firstPatience = 5

// Serve answers notifications until ctx ends or no process is left under the
// filter; then it returns nil. Any other end is an error, after which the
// sandbox must be killed: its trapped calls have nobody to answer them. It is a
// *ForeignCall if the sandbox is to be killed for that.
//
// The loop owns one OS thread and answers inline. What can block leaves it: a
// connect that waits for a far end is in pending, slow look-ups are in the pool.
//
// Before it waits for more than the program's start, Serve calls begun once, unless it
// fails before.
func (b *Broker) Serve(ctx context.Context, from *seccomp.Listener, begun func()) error {
	runtime.LockOSThread()
	defer runtime.UnlockOSThread()
	b.listener = &listener{single: from}
	if _, err := from.SyncWakeUp(); err != nil {
		return err
	}
	release, err := b.pending.stopAfter(ctx)
	if err != nil {
		return err
	}
	defer release()
	b.pool.start()
	defer b.pending.stop()
	defer b.pool.stop()
	fds := []unix.PollFd{
		{Fd: int32(from.Fd()), Events: unix.POLLIN},
		{Fd: int32(b.pending.epoll), Events: unix.POLLIN},
	}
	if n, _ := unix.Poll(fds[:1], firstPatience); n > 0 && fds[0].Revents&unix.POLLIN != 0 {
		if err := b.serveOne(); err != nil {
			return err
		}
	}
	begun()
	for {
		switch _, err := unix.Poll(fds, -1); {
		case errors.Is(err, unix.EINTR): // the Go scheduler's own signals
			continue
		case err != nil:
			return fmt.Errorf("wait for notifications: %w", err)
		}
		if fds[1].Revents != 0 && b.finishConnects() {
			return nil
		}
		if fds[0].Revents&unix.POLLIN != 0 {
			if err := b.serveOne(); err != nil {
				return err
			}
		} else if fds[0].Revents != 0 {
			return nil // POLLHUP: nobody is left under the filter
		}
	}
}

// serveOne receives and answers one notification.
func (b *Broker) serveOne() error {
	req := &request{}
	err := b.listener.receive(&req.Notification)
	switch {
	case errors.Is(err, seccomp.ErrGone): // the caller was interrupted or died
		return nil
	case err != nil:
		return fmt.Errorf("receive a notification: %w", err)
	}
	req.received = time.Now()
	if err := b.checkForeign(req); err != nil {
		return err
	}
	b.lost.receive(req.ID)
	b.handle(req)
	if n := b.panics.Load(); n >= maxPanics {
		return fmt.Errorf("%d calls made the broker panic", n)
	}
	return nil
}

// handle answers req, now or later. A panic denies the call.
func (b *Broker) handle(req *request) {
	defer func() {
		if cause := recover(); cause != nil {
			b.recoverFrom(req, cause)
		}
	}()
	response, later := b.dispatch(req)
	if !later {
		b.answer(req, response)
	}
}

func (b *Broker) recoverFrom(req *request, cause any) {
	b.panics.Add(1)
	req.record = b.denial(req, seccomp.Name(req.Syscall), "", ruleInternal)
	req.record.Original = fmt.Sprint(cause)
	b.answer(req, seccomp.Response{ID: req.ID, Errno: unix.EPERM})
}

// dispatch finds the handler. Which type it returns says what it may answer.
func (b *Broker) dispatch(req *request) (response seccomp.Response, later bool) {
	var r reply
	if errno := b.explained.refusal(&req.Notification); errno != 0 {
		return b.refuse(req, errno).response(req.ID), false
	}
	switch req.Syscall {
	case unix.SYS_EXECVE, unix.SYS_EXECVEAT:
		return rechecked(req, b.execve(req))
	case unix.SYS_BIND:
		return rechecked(req, b.bind(req))
	case unix.SYS_GETSOCKOPT:
		return rechecked(req, b.socketError(req))
	case unix.SYS_CONNECT:
		r = b.connect(req)
	case unix.SYS_LISTEN:
		r = b.listen(req)
	case unix.SYS_SETSOCKOPT:
		r = b.setBufferOf(req)
	case unix.SYS_SENDTO:
		r = b.sendto(req)
	case unix.SYS_EPOLL_CREATE, unix.SYS_EPOLL_CREATE1:
		r = b.epollCreate(req)
	case unix.SYS_SENDMSG, unix.SYS_SENDMMSG: // trapped with MSG_OOB only
		r = b.refuse(req, unix.EOPNOTSUPP)
	default:
		r = b.refuse(req, unix.EPERM)
	}
	return r.response(req.ID), r.later
}

func rechecked(req *request, r recheckedReply) (response seccomp.Response, later bool) {
	return r.response(req.ID), r.later
}

// answer sends the one response to req and then its record. It may be called
// from any thread, once for a request.
func (b *Broker) answer(req *request, response seccomp.Response) {
	req.answered.Store(true)
	if req.record != nil && b.config.Identify {
		b.identify(req)
	}
	err := b.listener.respond(response)
	if errors.Is(err, seccomp.ErrGone) && req.Syscall == unix.SYS_CONNECT {
		b.lost.note(req.ID)
	}
	if req.record == nil {
		return
	}
	b.complete(req, response)
	b.sink.Record(*req.record)
}
