package host

import (
	"errors"
	"fmt"
)

// LowLimitError says with which limit of the caller's own (ulimit) no sandbox can
// be set up.
type LowLimitError struct {
	Name        string // "RLIMIT_NOFILE"
	What        string // "only 3 files may be open at once"
	Least       uint64
	Instruction string // what raises it
}

func (e *LowLimitError) Error() string {
	return fmt.Sprintf("%s (%s); setting up a sandbox takes at least %d", e.What, e.Name, e.Least)
}

// Hint is the command that raises the limit.
func (e *LowLimitError) Hint() string { return e.Instruction + ", or higher" }

// The least with which a small sandbox is set up: a descriptor for each mount and
// those that the stage moves out of the way, to 64 and above; and the size of a
// plan, in bytes.
const (
	minDescriptors = 80
	minFile        = 64 << 10
)

// CheckLimits refuses hard limits with which no sandbox is set up. The constructor
// has raised the soft ones to them, and has seen to those under which Go does not
// run (cpython-shim/limits.c). A limit that is not named is infinite.
func CheckLimits(hard map[string]uint64) error {
	if limit, known := hard["RLIMIT_NOFILE"]; known && limit < minDescriptors {
		return &LowLimitError{
			"RLIMIT_NOFILE", fmt.Sprintf("only %d files may be open at once", limit), minDescriptors,
			fmt.Sprintf("ulimit -n %d", 4*minDescriptors),
		}
	}
	if limit, known := hard["RLIMIT_FSIZE"]; known && limit < minFile {
		return &LowLimitError{
			"RLIMIT_FSIZE", fmt.Sprintf("a file may have only %d bytes", limit), minFile,
			fmt.Sprintf("ulimit -f %d", minFile>>10),
		}
	}
	return nil
}

// ownLimits checks the limits of the caller.
func (d *diagnosis) ownLimits() Check {
	c := Check{Name: "limits of the caller", Tiers: []string{TierFull, TierContainer, TierMinimal}, OK: true, Found: "high enough"}
	if low, isLow := errors.AsType[*LowLimitError](CheckLimits(hardLimits())); isLow {
		c.OK, c.Found, c.Missing, c.Fix = false, "", low.Error(), low.Instruction
	}
	return c
}
