package plan

import (
	"fmt"
	"maps"
	"slices"

	"github.com/pysandbox/pysandbox/internal/netrule"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/seccomp"
	"github.com/pysandbox/pysandbox/seccomp/prebuilt"
)

// Resolve binds a plan to a host. It makes no system call and is deterministic.
// What the policy demands and this host or this version cannot enforce is an
// error that names it and what would help; nothing is left out in silence.
func Resolve(p *Plan, onHost Host) (*Resolved, error) {
	h := &onHost
	tier, err := chooseTier(p.Require, h.Facts)
	if err != nil {
		return nil, err
	}
	limits, err := resolveLimits(p, h)
	if err != nil {
		return nil, fmt.Errorf("resolve the limits: %w", err)
	}
	program, err := resolveProgram(p, h)
	if err != nil {
		return nil, fmt.Errorf("resolve the program: %w", err)
	}
	v, err := p.resolveView(h)
	if err != nil {
		return nil, fmt.Errorf("resolve what is visible: %w", err)
	}
	filter, err := prebuilt.Or(h.Compile)(p.Filter)
	if err != nil {
		return nil, fmt.Errorf("resolve the filter: %w", err)
	}
	r := &Resolved{
		Plan:        p,
		Interpreter: h.Interpreter,
		Tier:        tier,
		Landlock:    h.Facts.Landlock,
		Named:       slices.Sorted(maps.Keys(v.user)),
		Executable:  executable(v.rules),
		ByMountOnly: p.byMountOnly(h),
		Filter:      filter,
		HostFacts:   netrule.HostFacts{Local: slices.Clone(h.Addresses)},
		Warnings:    slices.Concat(limits.warnings, unixWarnings(p, h), pipeWarnings(p, h)),
		hidden:      hiddenPatterns(p, h),
		needed:      neededModules(p, h),
		Wall:        p.Limits.Wall,
	}
	if r.Sockets, err = p.networkSockets(); err != nil {
		return nil, fmt.Errorf("resolve the network: %w", err)
	}
	if r.Setup, err = r.assemble(h, v, limits, program); err != nil {
		return nil, fmt.Errorf("resolve the setup: %w", err)
	}
	return r, nil
}

// Environment returns the program's variables as "NAME=value", sorted.
func (r *Resolved) Environment() []string {
	if len(r.Setup) == 0 {
		return nil
	}
	_, env := r.Setup[len(r.Setup)-1].ExecArgs() // Validate holds that it is last
	return env
}

// assemble puts the operations in the order that confines. It validates the
// result, so a program that could leave a layer out never reaches the stage.
func (r *Resolved) assemble(h *Host, v *view, limits *resolvedLimits, program namespaces.Op) (namespaces.Program, error) {
	mounts, err := v.tree.Operations()
	if err != nil {
		return nil, err
	}
	sockets, err := r.Plan.socketOperations(r.Sockets)
	if err != nil {
		return nil, err
	}
	directory, err := v.directory(r.Plan, h)
	if err != nil {
		return nil, err
	}
	stdio := namespaces.Op{Code: namespaces.OpStdio, N1: 0, N2: 1, N3: 2}
	if r.Plan.Invocation.Terminal {
		stdio.Flags = namespaces.FlagTTY
	}
	guest, err := r.Plan.guestOperations(h, v)
	if err != nil {
		return nil, err
	}
	setup := slices.Concat(
		sockets,
		mounts,
		guest,
		namespaces.Program{
			{Code: namespaces.OpPivot},
			{Code: namespaces.OpRootReadOnly},
			{Code: namespaces.OpCgroupNS},
		},
		limits.early,
		namespaces.Program{{Code: namespaces.OpNoNewPrivs}, {Code: namespaces.OpDropCaps}},
		v.rules.Operations(h.Facts.Landlock),
		namespaces.Program{{Code: namespaces.OpSpawn}, stdio},
		limits.late,
		namespaces.Program{
			{Code: namespaces.OpChdir, S1: directory},
			{Code: namespaces.OpProbe, S1: namespaces.ProbePath},
			{Code: namespaces.OpFilter, Data: r.Filter.Bytes(), N1: h.Facts.FilterFlags | seccomp.FlagNewListener},
			program,
		},
	)
	return setup, setup.Validate()
}

// executable lists the paths with the right to execute.
func executable(l namespaces.Landlock) []string {
	var names []string
	for _, rule := range l.Paths {
		if rule.Rights&namespaces.RightExecute != 0 {
			names = append(names, rule.Path)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// resolveProgram returns the operation that starts the program.
func resolveProgram(p *Plan, h *Host) (namespaces.Op, error) {
	executable := h.Program
	if p.Command.Python {
		executable = h.Interpreter.Executable
		if err := checkInterpreter(p, h); err != nil {
			return namespaces.Op{}, err
		}
	}
	if executable == "" {
		return namespaces.Op{}, fmt.Errorf("%s was not found on this host", p.Command.name())
	}
	// The path, not a bare name: CPython finds its library from argv[0].
	args := append([]string{executable}, p.Command.Args...)
	return namespaces.ExecOp(executable, args, environmentList(p.resolveEnvironment(h)))
}

// checkInterpreter refuses a command that names another interpreter than the
// policy.
func checkInterpreter(p *Plan, h *Host) error {
	const key, fix = "python.interpreter", "drop one of them (python.interpreter, --python)"
	wanted, have := p.Command.Release, h.Interpreter
	if p.Command.Same != "" && !h.SameInterpreter {
		return wrong(key, "the command names the interpreter %s and the policy %s, which is %s; "+fix,
			p.Command.Same, p.Python.Interpreter, have.Executable)
	}
	if wanted == "" || have.Version == wanted || isReleaseOf(have.Version, wanted) {
		return nil
	}
	return wrong(key, "the command names python%s and the policy's interpreter %s is python%s; "+fix,
		wanted, have.Executable, have.Version)
}

// isReleaseOf says whether version ("3.12.1") belongs to release ("3" or "3.12").
func isReleaseOf(version, release string) bool {
	return len(version) > len(release) && version[:len(release)] == release && version[len(release)] == '.'
}
