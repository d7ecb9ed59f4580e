package main

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/plan"
)

// protected lists the files that decide about a run or tell of it, with the
// symbolic links by which they are named. It is empty for a plan that lets
// nothing be written.
func protected(p *plan.Plan, kept []account, cache host.Cache) ([]plan.Protected, error) {
	if len(p.Files.Write) == 0 {
		return nil, nil
	}
	all := make(map[string]string)
	for _, account := range kept {
		paths, err := account.paths()
		if err != nil {
			return nil, err
		}
		for _, path := range paths {
			all[absolute(p, path)] = account.what
		}
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
		for _, name := range namesOf(path) {
			found = append(found, plan.Protected{Path: name, What: what})
			for _, alias := range aliases(name, p.Files.Write) {
				found = append(found, plan.Protected{Path: alias, What: what + ", as " + name})
			}
		}
	}
	slices.SortFunc(found, func(a, b plan.Protected) int { return strings.Compare(a.Path, b.Path) })
	return found, nil
}

// aliases lists those of the directories that hold what name stands for under another
// name: a bind mount shows the same directory in two places.
func aliases(name string, directories []string) []string {
	var found []string
	for _, directory := range directories {
		shown, err := os.Stat(directory)
		if err != nil {
			continue // the plan says what is missing
		}
		for at := name; ; at = filepath.Dir(at) {
			if there, err := os.Stat(at); err == nil && os.SameFile(shown, there) {
				real, err := filepath.EvalSymlinks(directory)
				if err == nil && real != at {
					found = append(found, real)
				}
				break
			}
			if at == "/" {
				break
			}
		}
	}
	return found
}

func absolute(p *plan.Plan, path string) string {
	if filepath.IsAbs(path) {
		return filepath.Clean(path)
	}
	return filepath.Join(p.Invocation.Directory, path)
}

// maxLinks is how many symbolic links the kernel follows (path_resolution(7)).
const maxLinks = 40

// namesOf lists the names by which path is found: each symbolic link on the way,
// and what it is in the end. Who can change a link changes what path means. What is
// not there yet has the name that it will have.
func namesOf(path string) []string {
	var links []string
	at, rest := "/", components(path)
	for len(rest) > 0 {
		next := filepath.Join(at, rest[0]) // also "..": at has no links
		rest = rest[1:]
		target, err := os.Readlink(next)
		if err != nil || len(links) == maxLinks {
			at = next
			continue
		}
		links = append(links, next)
		if filepath.IsAbs(target) {
			at = "/"
		}
		rest = append(components(target), rest...)
	}
	return append(links, at)
}

func components(path string) []string {
	return strings.FieldsFunc(path, func(r rune) bool { return r == '/' })
}
