// Package plan turns a policy and an invocation into what will be enforced.
// Compile is pure and host independent; Resolve is the only place where host
// facts enter. Neither makes a system call.
package plan

import (
	"time"

	specs "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
)

// Version is the version of the JSON form of a plan.
const Version = 1

// CommandKind says what is to be run. The zero value runs nothing.
type CommandKind uint8

// The forms of exec.
const (
	RunScript  CommandKind = iota + 1 // script.py [args]
	RunCode                           // -c CODE [args]
	RunModule                         // -m MODULE [args]
	RunProgram                        // -- COMMAND [args]
	RunInput                          // Python reads its program from standard input
)

// Invocation is what the caller asked for beside the policy.
type Invocation struct {
	Kind      CommandKind
	Argument  string            // script path (absolute), code, module or program
	Args      []string          // what follows
	Directory string            // caller's cwd, absolute
	Env       map[string]string `json:"-"` // the caller's environment, for env.pass; secrets among it
	Terminal  bool              // one of fds 0 to 2 is a terminal
	Client    bool              `json:",omitempty"` // a client holds the other end of a capability channel
}

// Plan is what will be enforced, before any host fact. Its JSON form is stable
// within a version and golden files hold it.
type Plan struct {
	Version    int
	Policy     string   // name of the policy it came from
	Sources    []string // the layers of that policy, the base first
	EnvUsed    []string // the PYSANDBOX_* variables that had a say
	Require    string   // tier that must be in force
	Invocation Invocation
	Command    Command

	// Spec is the portable half: process, user, mounts of the operator's own
	// paths, namespaces, capabilities, rlimits and resources. Resolved.OCI
	// completes it with what a host has and with the filter.
	Spec *specs.Spec

	Python       policy.Python
	Network      policy.Network
	Files        policy.Files
	Process      policy.Process
	Limits       policy.Limits
	Capabilities []string
	Landlock     namespaces.Landlock
	Layers       []string           // names of the syscall layers in the filter
	Filter       seccomp.FilterSpec // what those layers and [syscalls] amount to
}

// Resolved is a plan bound to one host: nothing is left to decide.
type Resolved struct {
	Plan        *Plan
	Interpreter host.Interpreter
	Tier        string
	Sockets     []Socket // for the supervisor, one for each OpSocket of Setup
	Landlock    int      // ABI of the ruleset in Setup, 0 without one

	// Named are the host paths that the operator and the command line show, sorted
	// and without symlinks; all other binds of Setup are what programs need.
	Named []string

	// Executable are the files and directories that the mounts and Landlock let
	// be executed, as the sandbox sees them, sorted.
	Executable []string

	// ByMountOnly are the paths to be read that lie below what may be written, and
	// which only the mounts keep from being written.
	ByMountOnly []string

	// Setup is what the stage runs after namespaces.Skeleton. Every OpBind names
	// a host path; descriptors donated at 0, 1 and 2 become the program's.
	Setup     namespaces.Program
	Filter    seccomp.Program
	HostFacts netrule.HostFacts
	hidden    []string          // patterns of python.modules.deny whose files are hidden
	needed    []string          // modules whose files are there for the allowed ones only
	Warnings  []*policy.Problem // but for the names of modules, which take a look at the host
	Wall      time.Duration
}
