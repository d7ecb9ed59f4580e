package plan

import (
	"errors"
	"slices"

	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
)

// chooseLayers returns the names of the syscall layers that a policy needs.
//
// Traffic within the sandbox is always possible, because the network namespace
// and the supervisor contain it, and so is writing, because the mounts do: the
// standard library needs both (asyncio, tempfile, multiprocessing).
func chooseLayers(pol *policy.Policy) []string {
	layers := []string{"base", "ipc", "files_write", "net", "server", "numpy"}
	if pol.Process.Threads {
		layers = append(layers, "threads")
	}
	if mayFork(pol) {
		layers = append(layers, "subprocess")
	}
	if !showsDirectories(pol) {
		layers = append(layers, "datagrams")
	}
	return layers
}

// showsDirectories says whether the policy names paths of the host, below which
// there may be servers' sockets.
func showsDirectories(pol *policy.Policy) bool {
	return len(pol.Files.Read) > 0 || len(pol.Files.Write) > 0 || len(pol.Files.Exec) > 0 || len(pol.Process.Spawn) > 0
}

// mayFork says whether the policy leaves room for a second process, or names
// something to execute. No limit on processes is room for many.
func mayFork(pol *policy.Policy) bool {
	return pol.Limits.Pids != 1 || pol.Process.SpawnAny || len(pol.Process.Spawn) > 0 ||
		len(pol.Files.Exec) > 0 || pol.Files.TmpExec
}

func compileFilter(layers []string, adjust policy.Syscalls) (seccomp.FilterSpec, error) {
	spec, err := seccomp.Layers(layers...)
	if err != nil {
		return seccomp.FilterSpec{}, err
	}
	if len(adjust.Allow) == 0 && len(adjust.Errno) == 0 {
		return spec, nil
	}
	spec, err = seccomp.WithSyscalls(spec, slices.Clone(adjust.Allow), adjust.Errno)
	return spec, syscallProblems(err, adjust)
}

// syscallProblems says which entries of [syscalls] an error is about.
func syscallProblems(err error, adjust policy.Syscalls) error {
	joined, isJoined := err.(interface{ Unwrap() []error })
	if !isJoined {
		return err
	}
	var problems []error
	for _, one := range joined.Unwrap() {
		named, isNamed := errors.AsType[*seccomp.NameError](one)
		switch {
		case !isNamed:
			problems = append(problems, one)
		case named.Errno:
			problems = append(problems, &policy.Problem{Key: "syscalls.errno." + named.Name, Err: named.Err})
		default:
			problems = append(problems, about("syscalls.allow", slices.Index(adjust.Allow, named.Name), named))
		}
	}
	return errors.Join(problems...)
}
