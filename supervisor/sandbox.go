package supervisor

import (
	"errors"
	"fmt"
	"io"
	"slices"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/seccomp"
)

// launch brings the child from its clone to a program that waits for one word:
// the plan is sent, the layers are read back, the listener is served. What the
// stage need not wait for is done after the plan has gone.
func (s *sandbox) launch() error {
	if err := s.deliver(); err != nil {
		return s.stageFailure(err)
	}
	if err := s.settle(); err != nil {
		return s.stageFailure(err)
	}
	hello, err := s.awaitListener()
	if err != nil {
		return err
	}
	if err := s.takeListener(hello); err != nil {
		return err
	}
	if err := s.readLayers(); err != nil {
		return err
	}
	return s.openServices()
}

// stageFailure is the error of the stage where it is the reason of err: a stage
// that has failed says why and goes, and then nothing can be sent to it.
func (s *sandbox) stageFailure(err error) error {
	if !isGone(err) {
		return err
	}
	if _, said := s.awaitListener(); said != nil {
		return said
	}
	return err
}

// settle is what the supervisor does while the stage runs the plan: it makes the
// control group and sends the channel, for which the stage will wait, gives up its
// rights, and gets ready to serve.
func (s *sandbox) settle() error {
	if err := s.offer.makeGroup(s.plan.Plan, s.options.Cgroup, s.child); err != nil {
		return err
	}
	if err := s.offer.send(s.child); err != nil {
		return err
	}
	s.offer.close()
	s.layers.Cgroup = CgroupNone
	if s.offer.cgroup != nil {
		s.layers.Cgroup = s.offer.cgroup.Kind
	}
	if s.stdio.Terminal != nil { // which has to be put back
		s.signals = CatchSignals(s.end)
	}
	if err := s.child.become(); err != nil {
		return err
	}
	var err error
	if s.ownNamespaces, err = ownNamespaces(); err != nil {
		return err
	}
	return s.makeBroker()
}

// ownSetup is the plan's program for this run: the terminal is the controlling
// one only if standard input is a terminal, and a control group is entered where
// one can be made.
func (s *sandbox) ownSetup() (namespaces.Program, error) {
	setup := slices.Clone(s.plan.Setup)
	index := func(code namespaces.OpCode) int {
		return slices.IndexFunc(setup, func(op namespaces.Op) bool { return op.Code == code })
	}
	stdio, group := index(namespaces.OpStdio), index(namespaces.OpCgroupNS)
	if stdio < 0 || group < 0 {
		return nil, errors.New("the plan lacks an operation for standard input and output or control groups")
	}
	setup[stdio].Flags &^= namespaces.FlagTTY
	if s.stdio.Controlling() {
		setup[stdio].Flags |= namespaces.FlagTTY
	}
	if s.options.Cgroup.limits(groupLimits(s.plan.Plan, s.child)) {
		setup = slices.Insert(setup, group, namespaces.Op{Code: namespaces.OpJoinGroup})
	}
	return setup, nil
}

// awaitListener reads the stage's messages until the program's process has its
// filter.
func (s *sandbox) awaitListener() (message, error) {
	for {
		m, err := s.child.control.receive()
		switch {
		case errors.Is(err, io.EOF):
			return m, errors.New("set up the sandbox: its first process ended without a word")
		case err != nil:
			return m, err
		}
		switch m.kind {
		case msgListener:
			return m, nil
		case msgError:
			return m, stageError(m, s.setup)
		case msgSocket:
			s.sockets = append(s.sockets, m.fd)
		case msgTerminal:
			if err := s.stdio.attach(m.fd); err != nil {
				return m, err
			}
		default:
			return m, fmt.Errorf("set up the sandbox: unexpected message %d", m.kind)
		}
	}
}

// takeListener copies the listener out of the program's process, which is not
// asked to send it: its own filter might not let it (pidfd_getfd(2), Linux 5.6).
func (s *sandbox) takeListener(hello message) error {
	if hello.pid == 0 {
		return errors.New("set up the sandbox: the kernel did not say which process has the listener")
	}
	s.program = hello.pid
	var err error
	if s.pidfd, err = unix.PidfdOpen(s.program, 0); err != nil {
		return fmt.Errorf("open the program's process: %w", err)
	}
	fd, err := unix.PidfdGetfd(s.pidfd, int(hello.a), 0)
	if err != nil {
		return fmt.Errorf("take the seccomp listener: %w", err)
	}
	s.listener, err = seccomp.NewListener(fd)
	return err
}

// readLayers checks the posture of the program's process and notes what is in
// force. Landlock was probed by the stage: it would not have come this far.
func (s *sandbox) readLayers() error {
	p, err := readPosture(s.program, s.ownNamespaces)
	if err != nil {
		return err
	}
	if err := p.check(s.child, s.passed+s.listeners()); err != nil {
		return err
	}
	s.layers.UserNS, s.layers.NetNS = p.namespaces["user"], p.namespaces["net"]
	s.layers.Seccomp, s.layers.Notify = p.status["Seccomp"] == "2", true
	s.layers.Landlock = s.plan.Landlock
	return nil
}
