package main

import (
	"errors"
	"os"
	"runtime"
	"slices"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/libseccomp"
	"github.com/pysandbox/pysandbox/supervisor"
)

// gather asks this host all that a plan needs to know of it. kept are the files
// that the program must not change, with what they are called in errors.
func gather(p *plan.Plan, kept []account, around *surroundings) (plan.Host, error) {
	if err := host.CheckLimits(around.facts.HardLimits); err != nil {
		return plan.Host{}, err
	}
	onHost := facts(around.facts, around.groups)
	if err := p.CheckTier(onHost); err != nil { // from which what fails below may only follow
		return plan.Host{}, err
	}
	if around.err != nil {
		return plan.Host{}, around.err
	}
	caller := host.Caller{UID: os.Geteuid(), Directory: p.Invocation.Directory, Env: p.Invocation.Env}
	cache := host.UserCache(caller)
	h := plan.Host{
		Facts:     onHost,
		Paths:     host.LookPaths(p.HostPaths(), caller),
		CPUs:      runtime.NumCPU(),
		Addresses: around.addresses,
		Compile:   libseccomp.Compile,
	}
	h.Pipes = host.FindPipes(p.BelowWritable(h.Paths))
	var err error
	if h.Protected, err = protected(p, kept, cache); err != nil {
		return plan.Host{}, err
	}
	h.Interpreter, err = cache.FindInterpreter(p.Command.Interpreter, caller)
	if err != nil && (p.Command.Python || !errors.Is(err, host.ErrNotFound)) {
		return plan.Host{}, interpreterProblem(p, startError(err))
	}
	h.SameInterpreter = p.Command.Same != "" && host.IsInterpreter(p.Command.Same, h.Interpreter, caller)
	if !p.Command.Python {
		if h.Program, err = host.FindProgram(p.Command.Program, caller); err != nil {
			return plan.Host{}, startError(err)
		}
	}
	if h.Modules, err = modules(p, h.Interpreter); err != nil {
		return plan.Host{}, err
	}
	h.Spawn, err = programs(p, caller, cache)
	return h, err
}

// programs is what must be visible for the programs that may be started.
func programs(p *plan.Plan, caller host.Caller, cache host.Cache) (host.Closure, error) {
	var named []string
	if !p.Command.Python {
		named = append(named, p.Command.Program)
	}
	named = append(named, p.Process.Spawn...)
	named = append(named, p.Files.Exec...)
	var closure host.Closure
	if len(named) > 0 {
		var err error
		if closure, err = cache.ProgramClosure(named, caller); err != nil {
			return host.Closure{}, programProblem(p, err)
		}
	}
	if p.Process.SpawnAny {
		closure = closure.Merge(host.SystemClosure(caller))
	}
	return closure, nil
}

// interpreterProblem is an error about the interpreter that the policy names, or
// the command line.
func interpreterProblem(p *plan.Plan, err error) error {
	if p.Command.Interpreter != p.Python.Interpreter {
		return err
	}
	return &policy.Problem{Key: "python.interpreter", Err: err}
}

// programProblem is an error about an entry of the policy, or the command.
func programProblem(p *plan.Plan, err error) error {
	entry, isEntry := errors.AsType[*host.EntryError](err)
	if !isEntry {
		return err
	}
	if !p.Command.Python && entry.Entry == p.Command.Program {
		return startError(err)
	}
	if i := slices.Index(p.Process.Spawn, entry.Entry); i >= 0 {
		return &policy.Problem{Key: policy.Item("process.spawn", i), Err: err}
	}
	if i := slices.Index(p.Files.Exec, entry.Entry); i >= 0 {
		return &policy.Problem{Key: policy.Item("files.exec", i), Err: err}
	}
	return err
}

// facts puts what the kernel answered into the words of a plan.
func facts(f host.Facts, groups supervisor.CgroupPlace) plan.Facts {
	missing := make(map[string]string, len(f.Missing))
	for _, m := range f.Missing {
		missing[string(m.Feature)] = m.Need + "; " + m.Fix
	}
	return plan.Facts{
		Root:         f.UID == 0,
		Landlock:     f.Landlock,
		Missing:      missing,
		FilterFlags:  seccomp.LoadFlags(),
		CgroupMemory: groups.Memory,
		CgroupPids:   groups.Pids,
		CgroupCPU:    groups.Quota && groups.CPU,
		HardLimits:   f.HardLimits,
	}
}

// startError gives an error about what is to be run the exit status that a
// shell would end with.
func startError(err error) error {
	switch {
	case errors.Is(err, host.ErrNotFound), errors.Is(err, host.ErrNoProgram):
		return &failure{problem: err.Error(), cause: err, status: supervisor.ExitNotFound}
	case errors.Is(err, host.ErrNotCPython), errors.Is(err, host.ErrBrokenVenv), errors.Is(err, host.ErrUntrusted),
		errors.Is(err, host.ErrNotExecutable):
		return &failure{problem: err.Error(), cause: err, status: supervisor.ExitNotExecutable}
	default:
		return err
	}
}
