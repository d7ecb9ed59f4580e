package supervisor

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/internal/errnos"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor/broker"
	"github.com/pysandbox/pysandbox/supervisor/broker/routes"
)

// makeBroker makes what decides on the sandbox's notifications.
func (s *sandbox) makeBroker() error {
	config, err := brokerConfig(s.plan)
	if err != nil {
		return err
	}
	s.services = &services{}
	if s.services.routes, err = routes.Open(s.plan.HostFacts.Local); err != nil {
		return err
	}
	config.Host = s.services.routes.Host
	config.Names = s.services.names
	config.Identify = s.options.Audit != nil
	config.Socket = func(family int) (int, error) { return s.innerSocket(context.Background(), family) }
	if s.broker, err = broker.New(config, s.sink()); err != nil {
		return fmt.Errorf("start the broker: %w", err)
	}
	return nil
}

// openServices opens what answers for the network inside.
func (s *sandbox) openServices() error {
	planned := min(len(s.plan.Sockets), len(s.sockets))
	if err := s.services.open(s.plan.Sockets, s.sockets[:planned]); err != nil {
		return err
	}
	return s.listenInside(s.sockets[planned:])
}

// answer answers the sandbox's notifications until the run ends. The thread that has
// let the program go does it, and begins all else once the program's execve has been
// answered: to wake another thread, or to start one beside, takes longer than that. If
// the answers end before the program does, the tree is killed: its trapped calls would
// wait for ever.
func (s *sandbox) answer(ctx context.Context, begin func()) {
	begin = sync.OnceFunc(begin)
	s.serving = true
	if err := s.broker.Serve(ctx, s.listener, begin); err != nil {
		s.end(serveCause(err))
	}
	begin()
	_ = s.broker.Close()
}

// serveCause is why the answers ended before the program did.
func serveCause(err error) Cause {
	if foreign, is := errors.AsType[*broker.ForeignCall](err); is {
		return Cause{Kind: CauseViolation, Detail: foreign.Error()}
	}
	return Cause{Kind: CauseInternal, Err: err}
}

// sink is told of every decision: the report, and the caller if it wants.
func (s *sandbox) sink() audit.Sink {
	if s.options.Audit == nil {
		return &s.denials
	}
	return audit.Tee{&s.denials, s.options.Audit}
}

// brokerConfig is the part of a plan that the broker decides by.
func brokerConfig(r *plan.Resolved) (broker.Config, error) {
	p := r.Plan
	errno := unix.EACCES
	if p.Network.Errno != "" {
		var known bool
		if errno, known = errnos.Number(p.Network.Errno); !known {
			return broker.Config{}, fmt.Errorf("network.errno: no error is called %s", p.Network.Errno)
		}
	}
	return broker.Config{
		Rules:       p.Network.Rules,
		Errno:       errno,
		UnixSockets: p.Network.Unix,
		Connections: p.Limits.Connections,
		Memory:      int64(p.Limits.Memory),
		LandlockTCP: namespaces.Handled(r.Landlock).Net != 0,
		Spawn:       broker.Spawn{Any: p.Process.SpawnAny, Paths: r.Executable},
		Filter:      &p.Filter,
		NoThreads:   !p.Process.Threads,

		HostLoopback: p.LoopbackPorts(netrule.TCP),
	}, nil
}
