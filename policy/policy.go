// Package policy reads what the operator wrote: TOML or JSON files, presets and
// overrides, layered and validated. It is pure but for reading the named files,
// and it decides nothing about how a rule is enforced.
package policy

import (
	"time"

	"github.com/pysandbox/pysandbox/internal/netrule"
)

// Policy is the operator's intent after layering. Every path is absolute and
// clean, and every list has kept the order in which it was written.
type Policy struct {
	Name    string   // preset or file it came from, for reports
	Layers  []string // what it was made from, the base first: "preset:strict", files, variables, "flags"
	EnvUsed []string // PYSANDBOX_* variables that were set, but those that a flag of this policy overrules
	Origins Origins  // where each value was written
	Require string   // "full", "container" or "minimal"

	Python       Python
	Files        Files
	Network      Network
	Process      Process
	Env          Env
	Limits       Limits
	Syscalls     Syscalls
	Capabilities []string
}

// AcceptsLess reports whether a file of the operator's says that a limit such as
// "memory" may be missing (limits.best_effort). That a preset says so is no word of
// the operator's.
func (p *Policy) AcceptsLess(limit string) bool {
	for i, name := range p.Limits.BestEffort {
		if name == limit && p.Origins.Chosen(Item("limits.best_effort", i)) {
			return true
		}
	}
	return false
}

// Python says which interpreter runs and what it may import.
type Python struct {
	Interpreter  string // name, path, version ("3.12") or venv directory
	ModulesAllow []string
	ModulesDeny  []string
}

// Files says what of the host's tree is visible inside.
type Files struct {
	Read, Write, Exec []string
	TmpExec           bool
	ShmSize           Size
	AllowRootOwned    bool
}

// Network says where connections may go and what is published.
type Network struct {
	Rules        netrule.Set
	HostLoopback []Port   // host ports reachable on the guest's 127.0.0.1
	Listen       []Listen // ports published on the host
	Unix         []string // named host sockets
	Direct       bool     // listeners of a service manager go to the program itself
	Errno        string   // name of the error of a denied connect, such as "EACCES"
	DNSNames     int      // different names that a run may look up where a rule opens every name
	DNSBytes     Size     // bytes that those names may have together
}

// Port is a transport and a port number.
type Port struct {
	Protocol netrule.Protocol
	Number   uint16
}

// Listen publishes a guest's port on the host: "tcp:[ADDR:]HOST[:GUEST]".
type Listen struct {
	Text        string
	Address     string // host address, "127.0.0.1" unless written
	Host, Guest uint16
}

// Process says what the program may start.
type Process struct {
	SpawnAny  bool     // spawn = true: the system's bin directories; Spawn is then what flags added
	Spawn     []string // spawn = ["git", "/opt/x"]
	Threads   bool
	Directory string // cwd inside; empty: the caller's if visible, else HOME
}

// Env is the environment beyond the fixed variables.
type Env struct {
	Pass []string
	Set  map[string]string
}

// Limits are the bounds of a run. Zero means no limit of that kind.
type Limits struct {
	Wall, CPU   time.Duration
	Memory      Size
	Pids        int
	OpenFiles   int
	FileSize    Size
	TmpSize     Size
	Output      Size
	CPUQuota    float64 // cores
	Connections int
	Inodes      int
	BestEffort  []string // names of limits that may be missing on a host
}

// Syscalls widens or adjusts the filter of the preset.
type Syscalls struct {
	Allow []string
	Errno map[string]string
}
