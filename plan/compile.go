package plan

import (
	"errors"
	"fmt"
	"slices"

	"github.com/pysandbox/pysandbox/policy"
)

// Compile turns a policy and an invocation into a plan. It is pure and
// deterministic: equal arguments give equal plans. Everything that the policy
// says has an effect in the plan, is left to Resolve, or is an error here; the
// error joins all that is wrong.
func Compile(pol policy.Policy, inv Invocation) (*Plan, error) {
	command, err := compileCommand(&pol, inv)
	if err != nil {
		return nil, fmt.Errorf("compile the command: %w", err)
	}
	permitCommand(&pol, command, inv)
	layers := chooseLayers(&pol)
	filter, filterErr := compileFilter(layers, pol.Syscalls)
	env, envErr := compileEnvironment(&pol, inv)
	if err := errors.Join(checkThreads(&pol), checkPaths(pol.Files), checkLimits(pol.Limits), envErr, filterErr); err != nil {
		return nil, fmt.Errorf("compile the policy: %w", err)
	}
	p := &Plan{
		Version:      Version,
		Policy:       pol.Name,
		Sources:      slices.Clone(pol.Layers),
		EnvUsed:      slices.Clone(pol.EnvUsed),
		Require:      tierOrDefault(pol.Require),
		Invocation:   inv,
		Command:      command,
		Python:       pol.Python,
		Network:      pol.Network,
		Files:        pol.Files,
		Process:      pol.Process,
		Limits:       pol.Limits,
		Capabilities: slices.Clone(pol.Capabilities),
		Layers:       layers,
		Filter:       filter,
	}
	if _, err := p.networkSockets(); err != nil {
		return nil, fmt.Errorf("compile the network: %w", err)
	}
	p.Landlock = p.compileLandlock()
	p.Spec = p.compileSpec(env)
	return p, nil
}

// checkThreads refuses to take away with one key what another gives.
func checkThreads(pol *policy.Policy) error {
	if !pol.Process.Threads && slices.Contains(pol.Syscalls.Allow, "threads") {
		return &policy.Problem{
			Key: "process.threads", Other: policy.Item("syscalls.allow", slices.Index(pol.Syscalls.Allow, "threads")),
			Err: errors.New(`false contradicts syscalls.allow = ["threads"]; remove one of them`),
		}
	}
	return nil
}

// permitCommand lets the command of the command line start: who names it asks for
// it. What it may start in turn is the policy's.
func permitCommand(pol *policy.Policy, c Command, inv Invocation) {
	if c.Python || pol.Process.SpawnAny || slices.Contains(pol.Process.Spawn, inv.Argument) ||
		slices.Contains(pol.Process.Spawn, c.Program) || belowAny(c.Program, pol.Files.Exec) {
		return
	}
	pol.Process.Spawn = append(slices.Clone(pol.Process.Spawn), inv.Argument)
}

// minOpenFiles and minMemory are what CPython needs to start at all, rounded up:
// below them a run would end in an error that says nothing of the limit.
const (
	minOpenFiles = 16
	minMemory    = 16 << 20
)

func checkLimits(l policy.Limits) error {
	var problems []error
	if l.OpenFiles > 0 && l.OpenFiles < minOpenFiles {
		problems = append(problems, wrong("limits.open_files", "%d is too low for an interpreter to start; it needs at least %d", l.OpenFiles, minOpenFiles))
	}
	if l.Memory > 0 && l.Memory < minMemory {
		problems = append(problems, wrong("limits.memory", "%v is too low for an interpreter to start; it needs at least %v", l.Memory, policy.Size(minMemory)))
	}
	for _, limit := range []struct {
		name  string
		value float64
	}{
		{"wall", float64(l.Wall)},
		{"cpu", float64(l.CPU)},
		{"memory", float64(l.Memory)},
		{"pids", float64(l.Pids)},
		{"open_files", float64(l.OpenFiles)},
		{"file_size", float64(l.FileSize)},
		{"tmp_size", float64(l.TmpSize)},
		{"output", float64(l.Output)},
		{"cpu_quota", l.CPUQuota},
		{"connections", float64(l.Connections)},
		{"inodes", float64(l.Inodes)},
	} {
		if limit.value < 0 {
			problems = append(problems, wrong("limits."+limit.name, "it is negative; 0 means no limit"))
		}
	}
	return errors.Join(problems...)
}
