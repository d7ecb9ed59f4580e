package supervisor

import (
	"context"
	"errors"
	"fmt"

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

// serve starts to answer the sandbox's notifications. If the answers end before
// the program does, the tree is killed: its trapped calls would wait for ever.
func (s *sandbox) serve(ctx context.Context) error {
	sink := s.sink()
	planned := min(len(s.plan.Sockets), len(s.sockets))
	if err := s.services.open(s.plan.Sockets, s.sockets[:planned]); err != nil {
		return err
	}
	if err := s.listenInside(s.sockets[planned:]); err != nil {
		return err
	}
	s.serving = true
	s.tasks.Go(func() {
		if err := s.broker.Serve(ctx, s.listener); err != nil {
			s.end(serveCause(err))
		}
		_ = s.broker.Close()
	})
	s.services.start(ctx, s, sink)
	s.startRelay(sink)
	return nil
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
