package supervisor

import (
	"errors"
	"fmt"
	"net"
	"os"
	"slices"
	"strconv"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/supervisor/broker/publish"
)

// programPID is the program's process id inside: PID 1 is the reaper.
const programPID = 2

// ruleActivation is the rule by which connections to passed listeners go inside.
const ruleActivation = "LISTEN_FDS"

// activated is a listener that a service manager has passed to us
// (sd_listen_fds(3)). The program gets a listener of its own network in its
// stead, because a shutdown(2) of the passed one would end it for its owner; we
// accept for it.
type activated struct {
	listener *net.TCPListener
	family   int
	at       unix.Sockaddr // the program's listener
	port     uint16
}

// takePassed takes the listeners that a service manager has passed: to accept at
// them, or to give them to the program.
func (s *sandbox) takePassed() (err error) {
	passed := passedDescriptors()
	if s.plan.Plan.Network.Direct {
		s.direct, err = openDirect(passed)
		return err
	}
	s.activated, err = openActivated(passed)
	return err
}

// passedDescriptors are the descriptors from 3 upward that a service manager has
// passed to this process, by the protocol of sd_listen_fds(3): LISTEN_PID names the
// process, LISTEN_FDS says how many.
func passedDescriptors() []int {
	pid, err := strconv.Atoi(os.Getenv("LISTEN_PID"))
	if err != nil || pid != os.Getpid() {
		return nil
	}
	count, err := strconv.Atoi(os.Getenv("LISTEN_FDS"))
	if err != nil {
		return nil
	}
	var fds []int
	for fd := 3; fd < 3+count; fd++ {
		unix.CloseOnExec(fd)
		fds = append(fds, fd)
	}
	return fds
}

// notPassed is the error of a descriptor that cannot go to the sandbox.
func notPassed(fd int, err error) error {
	return fmt.Errorf("LISTEN_FDS: descriptor %d cannot be passed to the sandbox, only TCP listeners can: %w", fd, err)
}

// openActivated takes over the descriptors. Other kinds of sockets cannot be
// passed, and nothing is left out silently.
func openActivated(fds []int) ([]activated, error) {
	var taken []activated
	for _, fd := range fds {
		file := os.NewFile(uintptr(fd), "LISTEN_FD_"+strconv.Itoa(fd))
		listener, err := net.FileListener(file)
		tcp, isTCP := listener.(*net.TCPListener)
		if err == nil && !isTCP {
			err = errors.Join(errors.New("it is no TCP socket"), listener.Close())
		}
		_ = file.Close()
		if err != nil {
			closeActivated(taken)
			return nil, notPassed(fd, err)
		}
		taken = append(taken, newActivated(tcp))
	}
	return taken, nil
}

// newActivated gives the program's listener the same port at its own loopback.
func newActivated(listener *net.TCPListener) activated {
	addr := listener.Addr().(*net.TCPAddr).AddrPort()
	a := activated{listener: listener, family: unix.AF_INET, port: addr.Port()}
	if addr.Addr().Unmap().Is4() {
		a.at = &unix.SockaddrInet4{Port: int(a.port), Addr: [4]byte{127, 0, 0, 1}}
		return a
	}
	a.family = unix.AF_INET6
	a.at = &unix.SockaddrInet6{Port: int(a.port)} // of both families, as the passed one may be
	return a
}

func closeActivated(taken []activated) {
	for _, a := range taken {
		_ = a.listener.Close()
	}
}

// listeners is how many the program is passed.
func (s *sandbox) listeners() int { return len(s.activated) + len(s.direct) }

// passListeners lets the stage pass the program's listeners from 3 upward, and
// tells the program of them as a service manager would. donated is how many
// descriptors come before them.
func (s *sandbox) passListeners(donated int) error {
	if s.listeners() == 0 {
		return nil
	}
	if s.passed > 0 {
		return errors.New("LISTEN_FDS and a capability channel cannot be combined: both are descriptor 3")
	}
	if len(s.activated) > 0 {
		if err := s.makeListeners(); err != nil {
			return err
		}
	}
	stdio := slices.IndexFunc(s.setup, func(op namespaces.Op) bool { return op.Code == namespaces.OpStdio })
	for i := range s.listeners() {
		s.setup = slices.Insert(s.setup, stdio+1+i, namespaces.Op{
			Code: namespaces.OpPassFD, N1: uint64(donated + i), N2: uint64(3 + i),
		})
	}
	return s.announceListeners()
}

// makeListeners lets the stage make the listeners of the program's own that stand
// for those at which we accept.
func (s *sandbox) makeListeners() error {
	isSocket := func(op namespaces.Op) bool { return op.Code == namespaces.OpSocket }
	at := len(s.plan.Sockets) // the plan's own come first
	if at > 0 && !isSocket(s.setup[at-1]) {
		return errors.New("the plan's sockets are not its first operations")
	}
	var made namespaces.Program
	for _, a := range s.activated {
		made = append(made, namespaces.Op{
			Code: namespaces.OpSocket, N1: uint64(a.family), N2: unix.SOCK_STREAM, Flags: namespaces.FlagKeep,
		})
	}
	isRoutes := func(op namespaces.Op) bool { return op.Code == namespaces.OpLocalRoutes }
	if !slices.ContainsFunc(s.setup, isRoutes) {
		made = append(made, namespaces.Op{Code: namespaces.OpLocalRoutes})
	}
	s.setup = slices.Insert(s.setup, at, made...)
	return nil
}

// announceListeners sets the variables of sd_listen_fds(3) in the program's
// environment.
func (s *sandbox) announceListeners() error {
	last := &s.setup[len(s.setup)-1]
	if last.Code != namespaces.OpExec {
		return errors.New("the plan does not end with the program's start")
	}
	args, env := last.ExecArgs()
	env = append(slices.Clone(env),
		"LISTEN_FDS="+strconv.Itoa(s.listeners()), "LISTEN_PID="+strconv.Itoa(programPID))
	if names, ok := os.LookupEnv("LISTEN_FDNAMES"); ok {
		env = append(env, "LISTEN_FDNAMES="+names)
	}
	var err error
	*last, err = namespaces.ExecOp(last.S1, args, env)
	return err
}

// listenInside binds the program's listeners and publishes the passed ones. The
// sockets are those that makeListeners has ordered.
func (s *sandbox) listenInside(sockets []int) error {
	if len(sockets) != len(s.activated) {
		return fmt.Errorf("the sandbox made %d listeners of %d", len(sockets), len(s.activated))
	}
	for i, a := range s.activated {
		if err := errors.Join(unix.Bind(sockets[i], a.at), unix.Listen(sockets[i], unix.SOMAXCONN)); err != nil {
			return fmt.Errorf("LISTEN_FDS: listen inside at port %d: %w", a.port, err)
		}
		s.ports = append(s.ports, publish.Port{Listener: a.listener, Guest: a.port, Rule: ruleActivation})
	}
	return nil
}
