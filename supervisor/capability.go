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

// openChannel makes the capability channel of a program that the bootstrap
// starts, returns its descriptors, which are the first to donate, and lets the
// setup pass them from 3 upward.
func (s *sandbox) openChannel() (donated []int, err error) {
	if !s.plan.Plan.Command.Guest {
		return nil, nil
	}
	s.channel, err = capability.Open(s.options.Client, s.plan.Plan.Capabilities)
	if err != nil {
		return nil, err
	}
	at := slices.IndexFunc(s.setup, func(op namespaces.Op) bool { return op.Code == namespaces.OpStdio })
	for i, file := range s.channel.Guest {
		s.setup = slices.Insert(s.setup, at+1+i, namespaces.Op{
			Code: namespaces.OpPassFD, N1: uint64(stdioCount + i), N2: uint64(3 + i),
		})
		donated = append(donated, int(file.Fd()))
	}
	s.passed = len(s.channel.Guest)
	return donated, nil
}

// releaseChannel closes our copies of what the guest got: the end of its socket
// could not be seen otherwise.
func (s *sandbox) releaseChannel() {
	if s.channel != nil {
		s.channel.CloseGuest()
	}
}

// startRelay passes frames until the run ends. A guest that breaks the rules of
// the channel ends its own run.
func (s *sandbox) startRelay(sink audit.Sink) {
	if s.channel == nil {
		return
	}
	guest, client := s.channel.Sockets()
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
	case s.channel != nil:
		s.channel.Close()
	}
}
