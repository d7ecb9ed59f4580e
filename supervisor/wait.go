package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"

	"golang.org/x/sys/unix"
)

// listen reads what PID 1 has to say until it is gone. It ends with the tree.
func (s *sandbox) listen() {
	defer close(s.gone)
	for {
		m, err := s.child.control.receive()
		switch {
		case errors.Is(err, io.EOF):
			return
		case errors.Is(err, errNoDescriptor) && m.kind == msgSocket: // for who has asked
		case err != nil:
			s.end(Cause{Kind: CauseInternal, Err: err})
			return
		}
		switch m.kind {
		case msgStatus:
			s.status, s.ended = m, true
			return
		case msgError:
			s.cause.Set(setupCause(stageError(m, s.setup)))
		case msgSocket:
			if !s.takeInnerSocket(m.fd) {
				s.end(Cause{Kind: CauseInternal, Err: errors.New("the sandbox sent a socket that nobody asked for")})
			}
		case msgStopped:
			s.stopped <- unix.Signal(m.a)
		default:
			s.end(Cause{Kind: CauseInternal, Err: fmt.Errorf("unexpected message %d of the sandbox", m.kind)})
		}
	}
}

// end notes why the supervisor ends the run, and ends it. The first cause wins.
// Where only output is left to pass on, nobody waits for its reader any more.
func (s *sandbox) end(c Cause) {
	s.cause.Set(c)
	s.child.kill()
	if giveUp := s.giveUp.Load(); giveUp != nil {
		(*giveUp)()
	}
}

// setupCause is the cause of a failed start. A program that could not be
// executed has the status that a shell would give it.
func setupCause(err error) Cause {
	c := Cause{Kind: CauseSetup, Err: err}
	if stage, ok := errors.AsType[*StageError](err); ok && stage.Exec() {
		c.Status = ExitNotExecutable
		if errors.Is(stage.Errno, unix.ENOENT) {
			c.Status = ExitNotFound
		}
	}
	return c
}

// finish ends what is left of the tree and passes on the rest of the output: for
// as long as the caller's side needs if the program ended by itself, as the
// program would have had to wait.
func (s *sandbox) finish(ctx context.Context) {
	killed := s.cause.Get().Kind != CauseNone
	if killed || s.leavesProcesses() {
		s.child.kill()
	}
	if killed && !s.ended { // nobody else will tell what was used
		s.child.reap()
	}
	if s.stdio == nil {
		return
	}
	var cancel context.CancelFunc
	if killed {
		ctx, cancel = context.WithTimeout(ctx, grace)
	} else {
		ctx, cancel = context.WithCancel(ctx)
		s.giveUp.Store(&cancel)
	}
	defer cancel()
	if err := s.stdio.Drain(ctx); err != nil && !killed {
		s.cause.Set(Cause{Kind: CauseInternal, Err: err})
	}
}

// leavesProcesses is whether anything but PID 1, which is ending, may be alive.
func (s *sandbox) leavesProcesses() bool { return !s.ended || s.status.b != 0 }

// bury waits for the end of the tree where something depends on it, and removes
// its control group. The kernel takes a while to take down the mounts of a
// sandbox; a program that left nothing behind is not waited for, if this process
// ends with it.
func (s *sandbox) bury() {
	killed := s.cause.Get().Kind != CauseNone
	if killed || s.leavesProcesses() || s.offer.cgroup != nil || s.child.spawned {
		s.child.reap()
	}
	s.offer.takeBack()
}
