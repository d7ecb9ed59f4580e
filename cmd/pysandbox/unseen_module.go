package main

import (
	"path/filepath"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
	"github.com/pysandbox/pysandbox/supervisor"
)

// unseenModule is a hint for a module that is to be run, or that the script or code of
// the command line imports, where it lies beside that, which the sandbox does not show,
// and is none of the interpreter's; or empty. It names what the operator wrote: the
// program has no say in it.
func unseenModule(r *plan.Resolved) string {
	if slices.ContainsFunc(r.Environment(), func(line string) bool { return strings.HasPrefix(line, "PYTHONPATH=") }) {
		return ""
	}
	place, names := modulesWanted(r.Plan)
	for _, name := range names {
		file := moduleBeside(r, place, name)
		if file == "" || len(r.Interpreter.UnknownModules([]string{name}, nil)) == 0 {
			continue
		}
		if here, err := filepath.EvalSymlinks(r.Plan.Invocation.Directory); err == nil && here == place {
			return file + " of the current directory is not in the sandbox; --allow-read=. shows it"
		}
		return file + " beside the script is not in the sandbox; --allow-read=" + shellQuote(place) + " shows it"
	}
	return ""
}

// modulesWanted are the top-level modules that a command line wants, and the directory
// from which Python would import them outside.
func modulesWanted(p *plan.Plan) (place string, names []string) {
	inv := p.Invocation
	from := filepath.Join(inv.Directory, "-")
	switch {
	case inv.Kind == plan.RunScript:
		from = p.Command.Script
		source, _ := host.ReadBeginning(from, 1<<20) // what was read will do
		names = host.Imports(source)
	case p.Process.Directory != "":
	case inv.Kind == plan.RunCode:
		names = host.Imports([]byte(inv.Argument))
	case inv.Kind == plan.RunModule:
		name, _, _ := strings.Cut(inv.Argument, ".")
		names = []string{name}
	}
	if script, err := filepath.EvalSymlinks(from); err == nil {
		from = script // as Python takes it for sys.path[0]
	}
	place, err := filepath.EvalSymlinks(filepath.Dir(from))
	if err != nil {
		return "", nil
	}
	return place, names
}

// moduleBeside is the name of the file or package of a module in a directory, or empty
// where there is none or the sandbox shows it.
func moduleBeside(r *plan.Resolved, place, name string) string {
	if name == "" || strings.ContainsRune(name, '/') {
		return ""
	}
	for _, file := range []string{name + "/", name + ".py"} {
		path, err := filepath.EvalSymlinks(filepath.Join(place, file))
		if err != nil {
			continue
		}
		shown := func(top string) bool { return path == top || strings.HasPrefix(path, strings.TrimSuffix(top, "/")+"/") }
		if slices.ContainsFunc(r.Named, shown) {
			return ""
		}
		return file
	}
	return ""
}

// missedModule is whether a run may have ended for want of a module, as Python does.
func missedModule(report *supervisor.Report) bool {
	return report.Outcome == supervisor.Exited && report.ExitCode == 1
}
