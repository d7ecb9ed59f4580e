package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
)

// protected lists the files that decide about a run or tell of it, under the
// names that they have behind symbolic links. It is empty for a plan that lets
// nothing be written.
func protected(p *plan.Plan, kept map[string]string, cache host.Cache) []plan.Protected {
	if len(p.Files.Write) == 0 {
		return nil
	}
	all := make(map[string]string)
	for path, what := range kept {
		all[absolute(p, path)] = what
	}
	for _, source := range p.Sources {
		if !strings.HasPrefix(source, "preset:") && source != "flags" {
			all[absolute(p, source)] = "the policy"
		}
	}
	if program, err := os.Executable(); err == nil {
		all[program] = "pysandbox itself"
	}
	if cache.Dir != "" {
		all[cache.Dir] = "the cache of interpreters"
	}
	var found []plan.Protected
	for path, what := range all {
		found = append(found, plan.Protected{Path: real(path), What: what})
	}
	slices.SortFunc(found, func(a, b plan.Protected) int { return strings.Compare(a.Path, b.Path) })
	return found
}

func absolute(p *plan.Plan, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(p.Invocation.Directory, path)
}

// real is the name of a file behind symbolic links; of one that does not exist
// yet, the name that it will have.
func real(path string) string {
	directory := filepath.Dir(path)
	looked := host.LookPaths([]string{path, directory})
	switch {
	case looked[path].Real != "":
		return looked[path].Real
	case looked[directory].Real != "":
		return filepath.Join(looked[directory].Real, filepath.Base(path))
	default:
		return path
	}
}
