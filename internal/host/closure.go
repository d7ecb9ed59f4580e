package host

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// builder collects a closure. What it adds is either part of the interpreter's
// or the program's own trees, or public: readable by every user of this host
// and owned by root or the caller. So a planted symlink, RPATH or pyvenv.cfg
// makes nothing visible that was not open to everyone.
type builder struct {
	caller Caller
	tree   *tree
	loader loader
	own    []string // directories without symlinks that are wanted as such

	binds map[string]bool   // path to exec
	links map[string]string // path to target

	loaded map[string]bool // libraries has followed this file
}

func newBuilder(caller Caller, t *tree) *builder {
	return &builder{
		caller: caller,
		tree:   t,
		loader: newLoader(t),
		binds:  make(map[string]bool),
		links:  make(map[string]string),
		loaded: make(map[string]bool),
	}
}

// add resolves path and makes it visible, with the symlinks on the way.
func (b *builder) add(path string, exec bool) (place, error) {
	found, err := b.tree.walk(path)
	if err != nil {
		return place{}, err
	}
	if err := b.permit(found); err != nil {
		return place{}, err
	}
	b.commit(found, exec)
	return found, nil
}

// offer adds what is useful where it exists and is left out where it does not.
func (b *builder) offer(exec bool, paths ...string) {
	for _, path := range paths {
		if found, err := b.tree.walk(path); err == nil && b.permit(found) == nil {
			b.commit(found, exec)
		}
	}
}

func (b *builder) permit(found place) error {
	if slices.ContainsFunc(b.own, func(dir string) bool { return within(found.path, dir) }) {
		return nil
	}
	if !found.public {
		return fmt.Errorf("%s is not readable by every user, and lies outside the interpreter's own directories", found.path)
	}
	if !b.caller.trusts(found.stat.Uid) {
		return fmt.Errorf("%s belongs to uid %d, not to root or the caller", found.path, found.stat.Uid)
	}
	return nil
}

func (b *builder) commit(found place, exec bool) {
	if found.isDir() || found.isFile() {
		b.binds[found.path] = b.binds[found.path] || exec
	}
	for _, link := range found.via {
		b.links[link.Path] = link.Target
	}
}

// covered says whether path lies below a bind that already has the rights.
func (b *builder) covered(path string, exec bool) bool {
	for dir := filepath.Dir(path); ; dir = filepath.Dir(dir) {
		if hasExec, ok := b.binds[dir]; ok && (hasExec || !exec) {
			return true
		}
		if dir == "/" {
			return false
		}
	}
}

// closure returns what was collected, without what a bound directory brings.
// A directory gets the right to execute if anything below it was added with it.
func (b *builder) closure() Closure {
	var c Closure
	paths := slices.SortedFunc(maps.Keys(b.binds), comparePaths)
	for _, path := range paths {
		if n := len(c.Binds); n > 0 && within(path, c.Binds[n-1].Path) {
			c.Binds[n-1].Exec = c.Binds[n-1].Exec || b.binds[path]
			continue
		}
		c.Binds = append(c.Binds, Bind{Path: path, Exec: b.binds[path]})
	}
	for _, path := range slices.SortedFunc(maps.Keys(b.links), comparePaths) {
		if !b.covered(path, false) {
			c.Links = append(c.Links, Link{Path: path, Target: b.links[path]})
		}
	}
	return c
}

// comparePaths sorts a directory directly before what lies in it.
func comparePaths(x, y string) int {
	return strings.Compare(strings.ReplaceAll(x, "/", "\x00"), strings.ReplaceAll(y, "/", "\x00"))
}
