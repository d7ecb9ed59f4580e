package main

import (
	"fmt"
	"path/filepath"
	"slices"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/policy"
)

// modules looks for the files of the modules that a policy names, and at no file
// where it names none.
func modules(p *plan.Plan, python host.Interpreter) (plan.Modules, error) {
	var m plan.Modules
	if len(p.Python.ModulesAllow)+len(p.Python.ModulesDeny) == 0 {
		return m, nil
	}
	if len(p.Python.ModulesDeny) > 0 {
		m.Denied = python.FindModules(p.DeniedModules())
		m.Around = python.Neighbours(m.Denied)
	}
	if len(p.Python.ModulesAllow) == 0 {
		return m, nil
	}
	m.Needed = python.NeededModules(p.Python.ModulesAllow)
	var err error
	if m.Files, err = python.ListModules(); err != nil {
		return plan.Modules{}, fmt.Errorf("list the modules of %s: %w", python.Executable, err)
	}
	return m, nil
}

// warningsOf are the warnings of a resolved plan, and those about modules that this
// host does not have, though the program may still bring them.
func warningsOf(r *plan.Resolved) []*policy.Problem {
	warnings := slices.Clone(r.Warnings)
	own := ownModules(r.Plan)
	look := func(key string, names []string) {
		unknown := r.Interpreter.UnknownModules(names, own)
		for i, name := range names {
			if slices.Contains(unknown, name) {
				warnings = append(warnings, &policy.Problem{
					Key: policy.Item("python.modules."+key, i),
					Err: fmt.Errorf("no module %s was found for %s; %s, unless the program brings it",
						name, r.Interpreter.Executable, advice(r.Interpreter.NearestModule(name))),
				})
			}
		}
	}
	look("allow", r.Plan.Python.ModulesAllow)
	look("deny", r.Plan.Python.ModulesDeny)
	return warnings
}

func advice(nearest string) string {
	if nearest == "" {
		return "correct the name"
	}
	return fmt.Sprintf("correct the name (did you mean %q?)", nearest)
}

// ownModules are the directories from which a program may import beside those of
// the interpreter: its own, and what the policy shows.
func ownModules(p *plan.Plan) []string {
	dirs := append(slices.Clone(p.Files.Read), p.Files.Write...)
	if p.Command.Script != "" {
		dirs = append(dirs, filepath.Dir(p.Command.Script))
	}
	return append(dirs, p.Invocation.Directory)
}

// modulesSection says of each rule on imports whether the kernel enforces it, and
// which modules are there because an allowed one imports them.
func modulesSection(r *plan.Resolved) section {
	var facts []fact
	var needed []string
	for _, rule := range r.ModuleRules() {
		layer := byPython
		switch {
		case rule.Key == "needed":
			needed = append(needed, rule.Pattern)
			continue
		case rule.Kernel:
			layer = byTree + ", " + byPython
		}
		facts = append(facts, fact{rule.Key, rule.Pattern, layer})
	}
	for len(needed) > 0 {
		row := needed[0]
		for needed = needed[1:]; len(needed) > 0 && len(row)+len(needed[0]) < maxValue-1; needed = needed[1:] {
			row += ", " + needed[0]
		}
		facts = append(facts, fact{"needed", row, byPython})
	}
	return section{"modules", facts}
}
