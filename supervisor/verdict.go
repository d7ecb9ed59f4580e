package supervisor

import (
	"fmt"
	"slices"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
)

// Exit statuses of pysandbox that are not the program's own. 124 is timeout(1)'s,
// 125 to 127 are env(1)'s and the shell's, 137 and 159 are 128 plus SIGKILL and
// SIGSYS.
const (
	ExitTimeout       = 124
	ExitSetup         = 125
	ExitNotExecutable = 126
	ExitNotFound      = 127
	ExitLimit         = 137
	ExitViolation     = 159
)

// Evidence is all that is known when a run has ended.
type Evidence struct {
	Status    unix.WaitStatus // of the program, from PID 1
	Ended     bool            // Status is known
	Cause     Cause
	LimitCPU  time.Duration // limits.cpu, 0 for none
	Counted   time.Duration // what the kernel holds against the program's RLIMIT_CPU, if SIGXCPU ended it
	AtMemory  bool          // the tree has been at its memory limit: Watch.AtMemoryLimit
	Tier      string
	Layers    Layers
	Usage     Usage
	LimitsHit []string
	Denials   *audit.Fold // may be nil
}

// NewReport gives the verdict. It is pure.
func NewReport(e Evidence) *Report {
	r := &Report{
		Version: ReportVersion, Tier: e.Tier, Layers: e.Layers, Usage: e.Usage,
		LimitsHit: e.LimitsHit, Violations: []audit.Violation{},
	}
	switch {
	case e.Cause.Kind != CauseNone:
		r.blame(e.Cause)
	case !e.Ended && e.AtMemory:
		// For memory the kernel kills a group of v2 as a whole, PID 1 with it, and
		// systemd may remove the scope with its counters before they are read.
		r.blame(Cause{Kind: CauseMemory})
	case !e.Ended:
		r.Outcome, r.ExitCode = Internal, ExitSetup
		r.Reason = "the sandbox ended without telling the program's status"
	case e.Status.Signaled():
		r.signaled(e)
	default:
		r.Outcome, r.ExitCode = Exited, e.Status.ExitStatus()
	}
	if e.Denials != nil {
		violations, dropped := e.Denials.Violations()
		r.Violations, r.ViolationsDropped = append(r.Violations, violations...), dropped
	}
	return r
}

// blame is the verdict when the supervisor ended the run.
func (r *Report) blame(c Cause) {
	limit := func(name string) {
		r.Outcome, r.Reason, r.ExitCode = LimitHit, name, ExitLimit
		r.Signal = unix.SignalName(unix.SIGKILL)
	}
	switch c.Kind {
	case CauseWall:
		r.Outcome, r.Reason, r.ExitCode = TimedOut, "wall", ExitTimeout
		r.Signal = unix.SignalName(unix.SIGKILL)
	case CauseCPU:
		limit("cpu")
	case CauseMemory:
		limit("memory")
	case CauseOutput:
		limit("output")
	case CauseViolation:
		r.Outcome, r.Reason, r.ExitCode = Violated, c.Detail, ExitViolation
		r.Signal = unix.SignalName(unix.SIGKILL)
	case CauseSignal:
		r.Outcome, r.Reason, r.ExitCode = Signaled, "interrupted", 128+int(c.Signal)
		r.Signal = unix.SignalName(c.Signal)
	case CauseCanceled:
		r.Outcome, r.Reason, r.ExitCode = Signaled, "canceled", 128+int(unix.SIGKILL)
		r.Signal = unix.SignalName(unix.SIGKILL)
	case CauseSetup:
		r.Outcome, r.Reason, r.ExitCode = SetupFailed, errorText(c.Err), ExitSetup
		if c.Status != 0 {
			r.ExitCode = c.Status
		}
	default:
		r.Outcome, r.Reason, r.ExitCode = Internal, errorText(c.Err), ExitSetup
	}
}

// signaled is the verdict when a signal that the supervisor did not send ended
// the program.
func (r *Report) signaled(e Evidence) {
	sig := e.Status.Signal()
	r.Outcome, r.ExitCode, r.Signal = Signaled, 128+int(sig), signalName(sig)
	switch {
	case sig == unix.SIGXCPU && e.usedUpCPU(): // setrlimit(2): RLIMIT_CPU
		r.Outcome, r.Reason, r.ExitCode = LimitHit, "cpu", ExitLimit
	case sig == unix.SIGXFSZ: // setrlimit(2): RLIMIT_FSIZE
		r.LimitsHit = addLimit(r.LimitsHit, "file_size")
	}
}

// usedUpCPU tells SIGXCPU for the policy's limit from one for a lower limit of the
// program's own, and from one that it sent itself. On a busy machine the kernel's
// count is more than the time that rusage tells.
func (e Evidence) usedUpCPU() bool {
	used := max(e.Counted.Seconds(), e.Usage.CPUSeconds)
	return e.LimitCPU > 0 && used >= e.LimitCPU.Seconds()
}

// addLimit appends name unless it is there.
func addLimit(limits []string, name string) []string {
	if slices.Contains(limits, name) {
		return limits
	}
	return append(limits, name)
}

// signalName names sig as signal(7) does; real-time signals as kill(1) does.
func signalName(sig syscall.Signal) string {
	if name := unix.SignalName(sig); name != "" {
		return name
	}
	const first = 34 // SIGRTMIN of glibc
	if sig >= first {
		return fmt.Sprintf("SIGRTMIN+%d", int(sig)-first)
	}
	return fmt.Sprintf("SIG%d", int(sig))
}

func errorText(err error) string {
	if err == nil {
		return "unknown"
	}
	return err.Error()
}
