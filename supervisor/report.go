package supervisor

import "github.com/pysandbox/pysandbox/audit"

// Outcome says how a run ended. The first cause wins.
type Outcome string

// The outcomes.
const (
	Exited      Outcome = "exited"
	Signaled    Outcome = "signaled"
	TimedOut    Outcome = "timeout"
	LimitHit    Outcome = "limit"     // killed for a limit; Reason names it
	Violated    Outcome = "violation" // killed for a violation
	SetupFailed Outcome = "setup_failed"
	Internal    Outcome = "internal"
)

// ReportVersion is the version of the report's JSON form.
const ReportVersion = 1

// Report is the one honest account of a run. Its JSON form is a contract.
//
// ExitCode is the exit status of pysandbox for this run: the program's own when
// it exited, 128+n when signal n ended it, else one of the Exit constants.
// Reason names the limit ("wall", "cpu", "memory", "output"), the violation, or
// what failed; it is empty when the program ended by itself.
type Report struct {
	Version           int               `json:"version"`
	Outcome           Outcome           `json:"outcome"`
	Reason            string            `json:"reason"`
	ExitCode          int               `json:"exit_code"`
	Signal            string            `json:"signal"` // such as "SIGKILL", empty when none
	Tier              string            `json:"tier"`
	Layers            Layers            `json:"layers"`
	Usage             Usage             `json:"usage"`
	LimitsHit         []string          `json:"limits_hit"`
	Violations        []audit.Violation `json:"violations"`
	ViolationsDropped int               `json:"violations_dropped"`
	AuditIncomplete   string            `json:"audit_incomplete,omitempty"` // why the audit trail lacks records

	interrupt func() // sends the SIGINT that ended the run again; nil where none of the caller's did
}

// Layers are the layers that were in force; a layer that was not read back or
// probed is not claimed.
type Layers struct {
	UserNS   bool   `json:"userns"`
	NetNS    bool   `json:"netns"`
	Landlock int    `json:"landlock"` // ABI, 0 when absent
	Seccomp  bool   `json:"seccomp"`
	Notify   bool   `json:"notify"`
	Cgroup   string `json:"cgroup"` // "v1", "v2", "systemd" or "none"
}

// Usage is what the run consumed. WholeTree names the fields that the kernel counted
// for all processes together; the run may have used more than the others say.
type Usage struct {
	WallSeconds     float64  `json:"wall_seconds"`
	CPUSeconds      float64  `json:"cpu_seconds"`
	PeakMemoryBytes int64    `json:"peak_memory_bytes"`
	PeakPids        int      `json:"peak_pids"`
	WholeTree       []string `json:"whole_tree"`
}
