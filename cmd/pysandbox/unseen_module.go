package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor"
)

// unseenModule is a hint for -m MODULE where that lies in the caller's directory, which
// the sandbox does not show, and is none of the interpreter's; or empty. It names what
// the operator wrote: the program has no say in it.
func unseenModule(r *plan.Resolved) string {
	inv := r.Plan.Invocation
	elsewhere := slices.ContainsFunc(r.Environment(), func(line string) bool { return strings.HasPrefix(line, "PYTHONPATH=") })
	if inv.Kind != plan.RunModule || r.Plan.Process.Directory != "" || elsewhere {
		return ""
	}
	name, _, _ := strings.Cut(inv.Argument, ".")
	file := name + "/"
	path, err := filepath.EvalSymlinks(filepath.Join(inv.Directory, file))
	if err != nil {
		file = name + ".py"
		path, err = filepath.EvalSymlinks(filepath.Join(inv.Directory, file))
	}
	shown := func(top string) bool { return path == top || strings.HasPrefix(path, strings.TrimSuffix(top, "/")+"/") }
	if err != nil || slices.ContainsFunc(r.Named, shown) {
		return ""
	}
	if len(r.Interpreter.UnknownModules([]string{name}, nil)) == 0 {
		return ""
	}
	return file + " of the current directory is not in the sandbox; --allow-read=. shows it"
}

// missedModule is whether a run may have ended for want of its module, as python -m does.
func missedModule(report *supervisor.Report) bool {
	return report.Outcome == supervisor.Exited && report.ExitCode == 1
}
