package plan

import (
	"net/netip"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/seccomp"
)

// Host is all that Resolve is told of the machine. The caller gathers it; every
// path is absolute and every slice may be empty.
type Host struct {
	Facts           Facts
	Interpreter     host.Interpreter     // for Command.Interpreter; its closure is shown even to other programs
	SameInterpreter bool                 // Command.Same leads to Interpreter
	Program         string               // absolute path of Command.Program, when that is set
	Spawn           host.Closure         // what process.spawn makes visible and executable
	Paths           map[string]host.Path // for every path of Plan.HostPaths
	Pipes           map[string]string    // named pipes at or in paths of Plan.BelowWritable
	Protected       []Protected          // what no writable path may cover
	Modules         Modules              // what python.modules is about
	CPUs            int                  // that the supervisor may use
	Addresses       []netip.Addr         // the host's own

	// Compile turns a filter into BPF that is not among the shipped ones.
	Compile func(seccomp.FilterSpec) (seccomp.Program, error)
}

// Protected is a host path that the program must not be able to change.
type Protected struct {
	Path string
	What string // as errors name it, such as "the policy"
}
