package supervisor

import (
	"errors"
	"os/exec"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
)

// ended runs a shell command and returns its real wait status.
func ended(t *testing.T, script string) unix.WaitStatus {
	t.Helper()
	command := exec.Command("sh", "-c", script)
	command.Dir = t.TempDir()
	_ = command.Run()
	if command.ProcessState == nil {
		t.Fatalf("sh -c %q did not run", script)
	}
	return unix.WaitStatus(command.ProcessState.Sys().(syscall.WaitStatus))
}

func TestVerdictByStatus(t *testing.T) {
	for _, c := range []struct {
		name, script string
		counted      float64 // CPU time in seconds, of a limit of one; 0 without a limit
		outcome      Outcome
		reason       string
		code         int
		signal       string
		limit        string
	}{
		{"success", "exit 0", 0, Exited, "", 0, "", ""},
		{"own status", "exit 7", 0, Exited, "", 7, "", ""},
		{"own 124 is no timeout", "exit 124", 0, Exited, "", 124, "", ""},
		{"term", "kill -TERM $$", 0, Signaled, "", 143, "SIGTERM", ""},
		{"kill that is nobody's limit", "kill -KILL $$", 0, Signaled, "", 137, "SIGKILL", ""},
		{"sys that the program sent itself", "kill -SYS $$", 0, Signaled, "", 159, "SIGSYS", ""},
		{"cpu rlimit", "ulimit -S -t 1; while :; do :; done", 1, LimitHit, "cpu", 137, "SIGXCPU", ""},
		{"xcpu that the program sent itself", "kill -XCPU $$", 0.01, Signaled, "", 152, "SIGXCPU", ""},
		{"xcpu that the program sent itself late", "kill -XCPU $$", 0.99, Signaled, "", 152, "SIGXCPU", ""},
		{"xcpu without a limit", "kill -XCPU $$", 0, Signaled, "", 152, "SIGXCPU", ""},
		{"file size", "ulimit -f 1; exec dd if=/dev/zero of=big bs=64k count=1", 0, Signaled, "", 153, "SIGXFSZ", "file_size"},
		{"real-time", "kill -36 $$", 0, Signaled, "", 164, "SIGRTMIN+2", ""},
	} {
		t.Run(c.name, func(t *testing.T) {
			status := ended(t, c.script)
			e := Evidence{Status: status, Ended: true, Usage: Usage{CPUSeconds: 0.9 * c.counted}}
			if c.counted > 0 {
				e.LimitCPU, e.Counted = time.Second, time.Duration(c.counted*float64(time.Second))
			}
			r := NewReport(e)
			if r.Outcome != c.outcome || r.Reason != c.reason || r.ExitCode != c.code || r.Signal != c.signal {
				t.Errorf("status %#x: got %s %q %d %s, want %s %q %d %s", status,
					r.Outcome, r.Reason, r.ExitCode, r.Signal, c.outcome, c.reason, c.code, c.signal)
			}
			var limit string
			if len(r.LimitsHit) > 0 {
				limit = r.LimitsHit[0]
			}
			if limit != c.limit {
				t.Errorf("limits_hit %v, want %q", r.LimitsHit, c.limit)
			}
		})
	}
}

func TestVerdictByCause(t *testing.T) {
	for _, c := range []struct {
		cause   Cause
		outcome Outcome
		reason  string
		code    int
	}{
		{Cause{Kind: CauseWall}, TimedOut, "wall", 124},
		{Cause{Kind: CauseCPU}, LimitHit, "cpu", 137},
		{Cause{Kind: CauseMemory}, LimitHit, "memory", 137},
		{Cause{Kind: CauseOutput}, LimitHit, "output", 137},
		{Cause{Kind: CauseViolation, Detail: "x32"}, Violated, "x32", 159},
		{Cause{Kind: CauseSignal, Signal: unix.SIGINT}, Signaled, "interrupted", 130},
		{Cause{Kind: CauseCanceled}, Signaled, "canceled", 137},
		{Cause{Kind: CauseSetup, Err: errors.New("no userns")}, SetupFailed, "no userns", 125},
		{Cause{Kind: CauseSetup, Err: errors.New("python9: not found"), Status: ExitNotFound}, SetupFailed, "python9: not found", 127},
		{Cause{Kind: CauseInternal, Err: errors.New("bug")}, Internal, "bug", 125},
	} {
		r := NewReport(Evidence{Status: ended(t, "kill -KILL $$"), Ended: true, Cause: c.cause})
		if r.Outcome != c.outcome || r.Reason != c.reason || r.ExitCode != c.code {
			t.Errorf("%+v: got %s %q %d", c.cause, r.Outcome, r.Reason, r.ExitCode)
		}
	}
}

// Nothing known about the end is never a success.
func TestVerdictOfNothing(t *testing.T) {
	if r := NewReport(Evidence{}); r.Outcome != Internal || r.ExitCode != 125 {
		t.Errorf("got %s %d", r.Outcome, r.ExitCode)
	}
	if r := NewReport(Evidence{AtMemory: true}); r.Outcome != LimitHit || r.Reason != "memory" {
		t.Errorf("all killed at the memory limit: got %s %s", r.Outcome, r.Reason)
	}
	if r := NewReport(Evidence{AtMemory: true, Ended: true}); r.Outcome != Exited {
		t.Errorf("ended at the memory limit: got %s %s", r.Outcome, r.Reason)
	}
}

func TestFirstCauseWins(t *testing.T) {
	var f FirstCause
	if f.Set(Cause{}) {
		t.Error("no cause counted as one")
	}
	if !f.Set(Cause{Kind: CauseMemory}) || f.Set(Cause{Kind: CauseWall}) {
		t.Error("the first cause did not win")
	}
	if f.Get().Kind != CauseMemory {
		t.Errorf("got %+v", f.Get())
	}
}

func TestDenialsBecomeViolations(t *testing.T) {
	var fold audit.Fold
	record := audit.Record{
		Source: audit.SourceKernel, Verdict: audit.Deny, Operation: "connect", Target: "tcp://203.0.113.9:443",
		Rule: "network.default", Errno: "EACCES", Hint: "--allow-net=tcp://203.0.113.9:443",
	}
	fold.Record(record)
	fold.Record(record)
	r := NewReport(Evidence{Status: ended(t, "exit 1"), Ended: true, Denials: &fold})
	if r.Outcome != Exited || r.ExitCode != 1 {
		t.Errorf("a survived denial changed the outcome: %s %d", r.Outcome, r.ExitCode)
	}
	want := audit.Violation{
		Operation: "connect", Target: "tcp://203.0.113.9:443", Rule: "network.default", Errno: "EACCES",
		Count: 2, Hint: "--allow-net=tcp://203.0.113.9:443",
	}
	if len(r.Violations) != 1 || r.Violations[0] != want {
		t.Errorf("got %+v, want %+v", r.Violations, want)
	}
}
