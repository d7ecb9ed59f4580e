package supervisor

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/internal/host"
)

// beginError adds to a refusal before Go started what this host lacks and what mends
// it.
func beginError(err error) error {
	begin, ok := errors.AsType[*shim.BeginError](err)
	if !ok {
		return err
	}
	noIDs := begin.Step == shim.StepLease && host.LacksIDs(shim.LeaseFirst, shim.LeaseCount)
	switch {
	case begin.Step == shim.StepClone:
		return fmt.Errorf("%s: %w", begin.Step, namespaceFailure(begin.Errno))
	case begin.Step == shim.StepCredentials, noIDs:
		return fmt.Errorf("%s: %w", begin.Step, host.LeaseFailure(begin.Errno))
	default:
		return err
	}
}

// stageLacks is what this host lacks, where that is why a stage failed, or nil.
func stageLacks(stage int32, errno syscall.Errno) *host.UnsupportedError {
	switch stage {
	case stageClone, stageIdentity, stageNetwork, stageRoot:
		return namespaceFailure(errno)
	case stageProc:
		return host.ProcFailure(errno)
	default:
		return nil
	}
}

// namespaceFailure names the running binary, for which a profile may be missing. One
// that has no path any more is named by what it is called.
func namespaceFailure(errno syscall.Errno) *host.UnsupportedError {
	program, err := os.Executable()
	if err != nil {
		program = "pysandbox"
	}
	return host.ClassifyUserNSFailure(errno, program)
}
