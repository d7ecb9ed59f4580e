package host

import (
	"path/filepath"
	"slices"
	"strings"
)

// Closure is a set of host paths that are needed together. Binds and Links are
// sorted by path, so that a directory stands before what lies in it; no bind
// and no link lies below another bind.
type Closure struct {
	Binds []Bind
	Links []Link
}

// Bind is one host file or directory that must appear at the same path inside,
// read-only.
type Bind struct {
	Path   string // absolute, without symlinks on the host
	Exec   bool   // may be mapped executable
	Public bool   // every user of this host can reach and read it
	Only   []string
	// Only lists, relative to Path and in order, the files and directories that
	// are needed of a system directory; empty means all of it. What else it holds
	// is for Landlock to hold back.
}

// Link is a symlink that must exist inside so that a host path resolves as it
// does on the host.
type Link struct {
	Path   string
	Target string
}

// Merge returns both closures as one.
func (c Closure) Merge(other Closure) Closure {
	merged := Closure{
		Binds: slices.Concat(c.Binds, other.Binds),
		Links: slices.Concat(c.Links, other.Links),
	}
	slices.SortStableFunc(merged.Binds, compareBinds)
	slices.SortStableFunc(merged.Links, func(x, y Link) int { return comparePaths(x.Path, y.Path) })
	return merged.pruned()
}

// pruned leaves out what a bound directory brings, and what stands twice. A
// directory may be executed from if anything in it must be. Both lists are
// sorted.
func (c Closure) pruned() Closure {
	var kept Closure
	for _, bind := range c.Binds {
		n := len(kept.Binds)
		if n == 0 || !within(bind.Path, kept.Binds[n-1].Path) {
			kept.Binds = append(kept.Binds, bind)
			continue
		}
		kept.Binds[n-1].absorb(bind)
	}
	bound := 0
	for _, link := range c.Links {
		for bound < len(kept.Binds) && comparePaths(kept.Binds[bound].Path, link.Path) < 0 {
			bound++
		}
		// Binds are disjoint, so only the last one before the link can hold it.
		if bound > 0 && within(link.Path, kept.Binds[bound-1].Path) {
			continue
		}
		if n := len(kept.Links); n == 0 || kept.Links[n-1].Path != link.Path {
			kept.Links = append(kept.Links, link)
		}
	}
	return kept
}

// absorb makes a directory bring what another bind of it or below it shows.
func (b *Bind) absorb(other Bind) {
	b.Exec = b.Exec || other.Exec
	if len(b.Only) == 0 {
		return
	}
	if other.Path == b.Path && len(other.Only) == 0 {
		b.Only = nil
		return
	}
	b.Only = mergeSorted(b.Only, other.below(b.Path))
}

// below returns what a bind shows, relative to a directory that holds it.
func (b *Bind) below(dir string) []string {
	relative := strings.TrimPrefix(strings.TrimPrefix(b.Path, dir), "/")
	if len(b.Only) == 0 {
		return []string{relative}
	}
	names := make([]string, len(b.Only))
	for i, name := range b.Only {
		names[i] = filepath.Join(relative, name)
	}
	return names
}

func mergeSorted(x, y []string) []string {
	merged := slices.Concat(x, y)
	slices.SortFunc(merged, comparePaths)
	return slices.Compact(merged)
}

// groupedLibraries is the number of libraries from which on their directory is
// bound as a whole. Every closure that is found is grouped by it, once.
const groupedLibraries = 8

// group binds a system directory of libraries once instead of each file, where
// at least so many of its libraries are needed. A mount costs some four times as
// much as a Landlock rule, so a closure with many libraries starts faster this
// way; the tier without Landlock has no mounts. The links in such a directory come
// with it.
func (c Closure) group(least int) Closure {
	files := make(map[string]int)
	for _, bind := range c.Binds {
		if bind.Public && isLibraryName(filepath.Base(bind.Path)) && isSystemDir(bind.Path) {
			files[filepath.Dir(bind.Path)]++
		}
	}
	var grouped Closure
	for _, bind := range c.Binds {
		dir, ok := groupOf(bind.Path, files, least)
		if !ok {
			grouped.Binds = append(grouped.Binds, bind)
			continue
		}
		n := len(grouped.Binds)
		if n == 0 || grouped.Binds[n-1].Path != dir {
			grouped.Binds = append(grouped.Binds, Bind{Path: dir, Exec: true, Public: true})
			n++
		}
		// In order already: what lies below one directory is, and so is each part.
		grouped.Binds[n-1].Only = append(grouped.Binds[n-1].Only, bind.below(dir)...)
	}
	for _, link := range c.Links {
		if _, ok := groupOf(link.Path, files, least); !ok {
			grouped.Links = append(grouped.Links, link)
		}
	}
	return grouped
}

// groupOf returns the outermost directory above path that is bound as a whole.
func groupOf(path string, files map[string]int, least int) (string, bool) {
	group, found := "", false
	for dir := filepath.Dir(path); dir != "/"; dir = filepath.Dir(dir) {
		if files[dir] >= least {
			group, found = dir, true
		}
	}
	return group, found
}

func compareBinds(x, y Bind) int { return comparePaths(x.Path, y.Path) }

// comparePaths sorts a directory directly before what lies in it.
func comparePaths(x, y string) int {
	for i := range min(len(x), len(y)) {
		if x[i] != y[i] {
			return int(separatorFirst(x[i])) - int(separatorFirst(y[i]))
		}
	}
	return len(x) - len(y)
}

// separatorFirst orders the separator before every other byte of a path.
func separatorFirst(c byte) byte {
	if c == '/' {
		return 0
	}
	return c
}
