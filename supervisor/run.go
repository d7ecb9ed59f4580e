// Package supervisor runs one resolved plan: it begins the sandbox, serves it,
// holds it to its limits and tells what happened. It reads no policy, and no Go
// code of it runs inside.
package supervisor

import (
	"context"
	"os"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/supervisor/broker"
	"github.com/pysandbox/pysandbox/supervisor/broker/capability"
	"github.com/pysandbox/pysandbox/supervisor/broker/publish"
)

// Options are the caller's side of a run.
type Options struct {
	Begun  *Beginning  // what the plan is for, taken over by Run; nil: Run begins
	Stdio  [3]int      // the caller's descriptors 0, 1 and 2
	Audit  audit.Sink  // told of every decision; nil: nobody
	Cgroup CgroupPlace // where a control group may be made, as the plan was resolved for
	Client *os.File    // the client's end of the capability channel, or nil

	// Where is the place of a policy's value by its key ("network.listen[0]"), with
	// a colon, to begin an error with; nil: no value has one.
	Where func(key string) string
}

func (o Options) where(key string) string {
	if o.Where == nil {
		return ""
	}
	return o.Where(key)
}

// sandbox is one running plan. Its fields are filled in the order in which the
// launch goes.
type sandbox struct {
	plan    *plan.Resolved
	options Options
	cause   FirstCause
	denials audit.Fold
	started time.Time

	child     *child
	stdio     *Stdio
	offer     offer
	setup     namespaces.Program // of this run; the program's start is last
	sockets   []int              // of the sandbox's network, for the supervisor
	services  *services
	broker    *broker.Broker
	serving   bool // the broker closes itself when it has served
	ports     []publish.Port
	activated []activated // passed by a service manager, accepted at by us
	direct    []int       // passed by a service manager, for the program itself
	passed    int         // descriptors that the program gets from 3 upward
	relay     *capability.Relay
	inner     innerSockets
	program   int // PID 2 on the host
	pidfd     int // of PID 2
	listener  *seccomp.Listener
	layers    Layers

	ownNamespaces map[string]string // the supervisor's, by kind
	signals       *Signals
	watch         *Watch

	tasks   sync.WaitGroup   // serve and what else runs beside
	stopped chan unix.Signal // the program was stopped
	gone    chan struct{}    // PID 1 has said all it had to say
	status  message          // STATUS, valid when ended
	ended   bool
	giveUp  atomic.Pointer[context.CancelFunc] // on the reader of the output, once the program has ended
}

// Run runs one plan to its end and tells what happened. It never returns an
// error: whatever fails is the outcome of the report.
func Run(ctx context.Context, r *plan.Resolved, o Options) *Report {
	ctx, cancel := context.WithCancel(ctx)
	s := &sandbox{
		plan: r, options: o, started: time.Now(), pidfd: -1,
		stopped: make(chan unix.Signal, 1), gone: make(chan struct{}),
		inner: innerSockets{arrived: make(chan int, 1)},
	}
	defer s.close()
	err := s.take(o)
	if err == nil {
		err = s.start()
	}
	if err == nil {
		s.answer(ctx, func() {
			s.attend(ctx)
			s.tasks.Go(func() {
				s.wait(ctx)
				s.conclude(ctx)
				cancel()
			})
		})
	} else {
		s.cause.Set(setupCause(err))
		s.conclude(ctx)
		cancel()
	}
	s.tasks.Wait()
	return s.report()
}

// conclude ends what is left of a run, whose program has ended or never started.
func (s *sandbox) conclude(ctx context.Context) {
	if s.watch != nil {
		s.watch.Stop()
	}
	if s.child != nil {
		s.finish(ctx)
	}
	s.closeChannel()
}

// take takes over what has begun.
func (s *sandbox) take(o Options) error {
	b := o.Begun
	if b == nil {
		b = Begin(o.Stdio)
	}
	s.child, s.stdio, s.offer = b.child, b.stdio, b.offer
	err := b.err
	*b = Beginning{}
	return err
}

// start brings the sandbox to the moment at which the program is let go.
func (s *sandbox) start() error {
	if err := s.launch(); err != nil {
		return err
	}
	var err error
	if s.watch, err = StartWatch(s.limits(), s.offer.cgroup, s.child.pid, s.started, s.end); err != nil {
		return err
	}
	command, err := s.setup[len(s.setup)-1:].Encode()
	if err != nil {
		return err
	}
	return s.child.control.sendFile(msgGo, command)
}

// attend begins what a program needs that runs.
func (s *sandbox) attend(ctx context.Context) {
	shim.UseAllProcessors()
	s.stdio.Start(int64(s.plan.Plan.Limits.Output), func() { s.end(Cause{Kind: CauseOutput}) })
	go s.listen()
	sink := s.sink()
	s.services.start(ctx, s, sink)
	s.startRelay(sink)
	s.publish(ctx) // PID 1 makes sockets for it, but not before it let go
	if s.signals == nil {
		s.signals = CatchSignals(s.end)
	}
	s.signals.Attach(s.pidfd, s.program, s.stdio)
	s.tasks.Go(s.offer.cgroup.Sweep)
}

// wait returns when the program has ended or something has ended it.
func (s *sandbox) wait(ctx context.Context) {
	canceled := ctx.Done()
	for {
		select {
		case <-s.gone:
			return
		case <-canceled:
			s.end(Cause{Kind: CauseCanceled})
			canceled = nil // the end of the tree closes s.gone
		case <-s.stopped:
			s.signals.Suspend()
		}
	}
}

func (s *sandbox) report() *Report {
	usage, hit := s.usage()
	r := NewReport(Evidence{
		Status:    unix.WaitStatus(s.status.a),
		Ended:     s.ended,
		Cause:     s.cause.Get(),
		LimitCPU:  s.plan.Plan.Limits.CPU,
		Counted:   time.Duration(s.status.c) * time.Millisecond,
		Tier:      s.plan.Tier,
		Layers:    s.layers,
		Usage:     usage,
		LimitsHit: hit,
		AtMemory:  s.watch != nil && s.watch.AtMemoryLimit(),
		Denials:   &s.denials,
	})
	r.interrupt = s.interruptedBy(r)
	return r
}

// limits are those that the supervisor watches; the plan has made the others
// operations of the setup.
func (s *sandbox) limits() Limits {
	l := s.plan.Plan.Limits
	return Limits{Wall: l.Wall, CPU: l.CPU, Pids: l.Pids, OpenFiles: l.OpenFiles}
}

// usage is what the run has used and which limits it met and survived.
func (s *sandbox) usage() (Usage, []string) {
	if s.watch == nil {
		return Usage{WallSeconds: time.Since(s.started).Seconds()}, nil
	}
	account := s.child.used
	if s.ended {
		account = Rusage{
			CPU:    time.Duration(s.status.utime+s.status.stime) * time.Microsecond,
			MaxRSS: int64(s.status.maxRSS) << 10,
		}
	}
	usage, hit := s.watch.Usage(account)
	if s.status.flags&statusTmpFull != 0 {
		hit = addLimit(hit, "tmp_size")
	}
	return usage, hit
}

// close ends the run on our side; the tree has ended, or ends with this. What is only
// descriptors is left to the kernel if this process ends with the run: to close them
// one by one takes a fifth of a millisecond, for which the caller would wait.
func (s *sandbox) close() {
	if s.stdio != nil {
		s.stdio.Close()
	}
	switch {
	case s.signals == nil:
	case s.child.spawned: // this process goes on
		s.signals.Stop()
	default:
		s.signals.Leave()
	}
	if s.child != nil {
		s.bury()
	}
	if s.child == nil || s.child.spawned {
		s.release()
	}
}

// release closes what a run has opened.
func (s *sandbox) release() {
	if s.listener != nil {
		_ = s.listener.Close()
	}
	closeAll(s.sockets)
	closePorts(s.ports)
	closeActivated(s.activated)
	closeAll(s.direct)
	if s.services != nil {
		s.services.close()
	}
	if s.broker != nil && !s.serving {
		_ = s.broker.Close()
	}
	if s.pidfd >= 0 {
		_ = unix.Close(s.pidfd)
	}
	if s.child != nil {
		s.child.close()
	}
}
