package supervisor

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"slices"

	"golang.org/x/sys/unix"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/seccomp"
)

// launch brings the child from its clone to a program that waits for one word:
// the plan is sent, the layers are read back, the listener is served.
func (s *sandbox) launch(ctx context.Context) error {
	var err error
	if s.child, err = beginChild(); err != nil {
		return err
	}
	donated, err := s.prepare()
	if err != nil {
		return err
	}
	err = s.sendPlan(donated)
	s.closeDonated(donated)
	if err != nil {
		return err
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
	return s.serve(ctx)
}

// closeDonated closes our copies of what the child has.
func (s *sandbox) closeDonated(donated []int) {
	joins := 0
	if s.cgroup != nil {
		joins = len(s.cgroup.Join)
	}
	closeAll(donated[stdioCount : len(donated)-joins])
	s.cgroup.CloseJoin()
	s.stdio.CloseChild()
}

// stdioCount is how many donated descriptors come before the sources of binds;
// OpStdio names them 0, 1 and 2.
const stdioCount = 3

// prepare does all that needs the caller's rights, then gives them up. It
// returns the descriptors to donate, in the order in which operations name them.
func (s *sandbox) prepare() ([]int, error) {
	owner := -1
	if s.child.lease != nil {
		owner = s.child.uid
	}
	var err error
	if s.stdio, err = OpenStdio(s.options.Stdio, owner, owner); err != nil {
		return nil, err
	}
	if s.ports, err = openPorts(s.plan.Plan); err != nil {
		return nil, err
	}
	donated := make([]int, 0, stdioCount)
	for _, file := range s.stdio.Child {
		donated = append(donated, int(file.Fd()))
	}
	setup, err := s.ownSetup()
	if err != nil {
		return nil, err
	}
	if s.child.lease != nil {
		var sources []int
		if setup, sources, err = openSources(s.plan, s.child, setup, stdioCount); err != nil {
			return nil, err
		}
		donated = append(donated, sources...)
	}
	if donated, err = s.joinGroup(setup, donated); err != nil {
		return nil, err
	}
	return donated, s.child.become()
}

// joinGroup makes the control group and lets PID 1 enter it before it leaves the
// old group's view (cgroup_namespaces(7)). It completes s.setup.
func (s *sandbox) joinGroup(setup namespaces.Program, donated []int) ([]int, error) {
	group := -1
	if s.child.lease != nil {
		group = shim.LeaseGroup
	}
	limits := CgroupLimits{
		Resources: s.plan.Plan.Spec.Linux.Resources,
		CountCPU:  s.plan.Plan.Limits.CPU > 0,
		Group:     group,
	}
	var err error
	if s.cgroup, err = NewCgroup(s.options.Cgroup, limits, s.child.pid); err != nil {
		return nil, err
	}
	s.layers.Cgroup = CgroupNone
	if s.cgroup != nil {
		s.layers.Cgroup = s.cgroup.Kind
		at := slices.IndexFunc(setup, func(op namespaces.Op) bool { return op.Code == namespaces.OpCgroupNS })
		for _, file := range s.cgroup.Join {
			join := namespaces.Op{Code: namespaces.OpJoinGroup, N1: uint64(len(donated))}
			setup = slices.Insert(setup, at, join)
			donated = append(donated, int(file.Fd()))
		}
	}
	s.setup = setup
	return donated, nil
}

// ownSetup is the plan's program for this run: the terminal is the controlling
// one only if standard input is a terminal.
func (s *sandbox) ownSetup() (namespaces.Program, error) {
	setup := append(namespaces.Program(nil), s.plan.Setup...)
	for i := range setup {
		if setup[i].Code != namespaces.OpStdio {
			continue
		}
		setup[i].Flags &^= namespaces.FlagTTY
		if s.stdio.Controlling() {
			setup[i].Flags |= namespaces.FlagTTY
		}
		return setup, nil
	}
	return nil, errors.New("the plan says nothing of standard input and output")
}

func (s *sandbox) sendPlan(donated []int) error {
	encoded, err := s.setup.Encode()
	if err != nil {
		return err
	}
	fd, err := unix.MemfdCreate("pysandbox plan", unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err != nil {
		return fmt.Errorf("make a file for the plan: %w", err)
	}
	file := os.NewFile(uintptr(fd), "plan")
	defer file.Close()
	if _, err := file.Write(encoded); err != nil {
		return fmt.Errorf("write the plan: %w", err)
	}
	const seals = unix.F_SEAL_SEAL | unix.F_SEAL_SHRINK | unix.F_SEAL_GROW | unix.F_SEAL_WRITE
	if _, err := unix.FcntlInt(file.Fd(), unix.F_ADD_SEALS, seals); err != nil {
		return fmt.Errorf("seal the plan: %w", err)
	}
	return s.child.control.sendPlan(fd, donated)
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
	p, err := readPosture(s.program)
	if err != nil {
		return err
	}
	if err := p.check(s.child, 0); err != nil {
		return err
	}
	s.layers.UserNS, s.layers.NetNS = p.namespaces["user"], p.namespaces["net"]
	s.layers.Seccomp, s.layers.Notify = p.status["Seccomp"] == "2", true
	s.layers.Landlock = s.plan.Landlock
	return nil
}
