package supervisor

import (
	"errors"
	"slices"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/supervisor/broker/capability"
)

// openChannel greets the client of a program that the bootstrap starts, and lets the
// setup wait for the channel's descriptors, which get the donated numbers from first
// upward, and pass them from 3 upward.
func (s *sandbox) openChannel(first int) error {
	if err := s.offer.makeChannel(s.plan.Plan); err != nil {
		return err
	}
	channel := s.offer.channel
	if channel == nil {
		return nil
	}
	if s.options.Client != nil {
		if err := channel.Greet(s.options.Client, s.plan.Plan.Capabilities); err != nil {
			return err
		}
	}
	s.passed = len(channel.Guest)
	spawn := slices.IndexFunc(s.setup, func(op namespaces.Op) bool { return op.Code == namespaces.OpSpawn })
	stdio := slices.IndexFunc(s.setup, func(op namespaces.Op) bool { return op.Code == namespaces.OpStdio })
	if spawn < 0 || stdio < spawn {
		return errors.New("the plan does not give the program its standard input and output")
	}
	for i := range s.passed {
		s.setup = slices.Insert(s.setup, stdio+1+i, namespaces.Op{
			Code: namespaces.OpPassFD, N1: uint64(first + i), N2: uint64(3 + i),
		})
	}
	s.setup = slices.Insert(s.setup, spawn, namespaces.Op{Code: namespaces.OpReceiveFDs, N1: uint64(s.passed)})
	return nil
}

// startRelay passes frames until the run ends. A guest that breaks the rules of
// the channel ends its own run.
func (s *sandbox) startRelay(sink audit.Sink) {
	if s.offer.channel == nil {
		return
	}
	guest, client := s.offer.channel.Sockets()
	s.relay = capability.New(guest, client, sink, s.plan, func() {
		// It may have ended by now; then there is nothing to interrupt.
		_ = unix.PidfdSendSignal(s.pidfd, unix.SIGINT, nil, 0)
	})
	s.tasks.Go(func() {
		switch err := s.relay.Run(); {
		case errors.Is(err, capability.ErrLeft):
			s.outlast()
		case errors.Is(err, capability.ErrFrame):
			sink.Record(audit.Record{
				Time: time.Now(), Source: audit.SourceKernel, Verdict: audit.Deny,
				Operation: "channel", Target: err.Error(), Rule: "capabilities",
			})
			s.end(Cause{Kind: CauseViolation, Detail: err.Error()})
		case err != nil:
			s.end(Cause{Kind: CauseInternal, Err: err})
		}
	})
}

// clientless is how long a run may go on whose client has gone. One that lives gives
// it less time, and ends it itself.
const clientless = 10 * time.Second

// outlast ends a run whose client has gone, of whatever: a program that computes
// reads nothing, and would go on for ever.
func (s *sandbox) outlast() {
	timer := time.NewTimer(clientless)
	defer timer.Stop()
	select {
	case <-s.gone:
	case <-timer.C:
		s.end(Cause{Kind: CauseCanceled})
	}
}

// closeChannel ends the relay, if there is one.
func (s *sandbox) closeChannel() {
	switch {
	case s.relay != nil:
		s.relay.Close()
	case s.offer.channel != nil:
		s.offer.channel.Close()
	}
}
