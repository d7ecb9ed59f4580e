package host

import "slices"

// Check is one thing that a sandbox needs of the host, and what was found.
type Check struct {
	Name    string   `json:"name"`
	Tiers   []string `json:"tiers"` // that need it; none for a limit or advice
	OK      bool     `json:"ok"`
	Found   string   `json:"found,omitempty"`
	Missing string   `json:"missing,omitempty"` // why it is not OK
	Fix     string   `json:"fix,omitempty"`     // the command or setting that mends it
}

// The names of the tiers, from the strongest down.
const (
	TierFull      = "full"
	TierContainer = "container"
	TierMinimal   = "minimal"
)

// Examination is what Diagnose is to examine.
type Examination struct {
	Caller  Caller
	Program string // path of the running binary, which an AppArmor profile names

	Limits GroupLimits

	// Host uids and gids that sandboxes of root lease, where no user may be.
	LeaseFirst, LeaseCount uint32
}

// GroupLimits is what control groups can limit for this process, as the one who
// makes them has found out.
type GroupLimits struct {
	Place             string // such as "cgroup v2"
	Memory, Pids, CPU bool
	Reason            string // why something is missing
}

// Diagnose tries every feature of the kernel as this process, in children that
// run no program, and looks for an interpreter. It takes some milliseconds and
// changes nothing.
func Diagnose(e Examination) []Check {
	d := diagnosis{Examination: e, settings: hostSettings(), kernel: readKernel()}
	checks := []Check{d.kernelAge(), d.userNS(), d.netNS(), d.proc(), d.mounts(), d.pidfd()}
	checks = append(checks, d.seccomp(), d.notify(), d.landlock(), d.landlockTCP())
	checks = append(checks,
		d.limit("memory limit", e.Limits.Memory),
		d.limit("pids limit", e.Limits.Pids),
		d.limit("cpu quota", e.Limits.CPU))
	checks = append(checks, d.ownLimits())
	if e.Caller.UID == 0 {
		checks = append(checks, d.root(), d.lease())
	}
	return append(checks, d.interpreter())
}

// AvailableTier returns the strongest tier for which every check is OK, or "".
func AvailableTier(checks []Check) string {
	for _, tier := range []string{TierFull, TierContainer, TierMinimal} {
		lacking := slices.ContainsFunc(checks, func(c Check) bool { return !c.OK && slices.Contains(c.Tiers, tier) })
		if !lacking {
			return tier
		}
	}
	return ""
}

// diagnosis makes the checks.
type diagnosis struct {
	Examination
	settings settings
	kernel   Kernel
}

func (d *diagnosis) kernelAge() Check {
	c := Check{Name: "kernel", Tiers: []string{TierFull, TierContainer}, Found: "Linux " + d.kernel.String()}
	if d.kernel.Before(notifySince) {
		c.Missing = "Linux " + notifySince.String() + " or later: trapped calls are answered with descriptors (SECCOMP_ADDFD_FLAG_SEND)"
		c.Fix = "boot a newer kernel"
		return c
	}
	c.OK = true
	return c
}

func (d *diagnosis) interpreter() Check {
	c := Check{Name: "interpreter", Tiers: []string{TierFull, TierContainer, TierMinimal}}
	python, err := FindInterpreter("", d.Caller)
	if err != nil {
		c.Missing = err.Error()
		c.Fix = "install python3, or name an interpreter with --python"
		return c
	}
	c.OK, c.Found = true, "CPython "+python.Version+" at "+python.Executable
	return c
}

// failed fills in a check from an error of the kernel.
func (c Check) failed(e *UnsupportedError) Check {
	c.Missing, c.Fix = e.Need, e.Fix
	if e.Err != nil {
		c.Missing += " (" + e.Err.Error() + ")"
	}
	return c
}
