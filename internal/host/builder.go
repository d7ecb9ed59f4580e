package host

import (
	"fmt"
	"maps"
	"os"
	"slices"
)

// builder collects a closure. What it adds is either part of the interpreter's
// or the program's own trees, or public: readable by every user of this host
// and owned by root or the caller. So a planted symlink, RPATH or pyvenv.cfg
// makes nothing visible that was not open to everyone.
type builder struct {
	caller Caller
	tree   *tree
	loader loader
	own    []string // files and directories, without symlinks, that are wanted as such

	binds map[string]Bind
	links map[string]string // path to target

	loaded map[string]bool // libraries has followed this file
}

func newBuilder(caller Caller, t *tree) *builder {
	return &builder{
		caller: caller,
		tree:   t,
		loader: newLoader(t),
		binds:  make(map[string]Bind),
		links:  make(map[string]string),
		loaded: make(map[string]bool),
	}
}

// need makes visible what cannot be missing, with the symlinks on the way and
// with the right to execute it.
func (b *builder) need(path string) (place, error) {
	found, err := b.tree.walk(path)
	if err != nil {
		return place{}, err
	}
	if err := b.permit(found); err != nil {
		return place{}, err
	}
	b.commit(found, true)
	return found, nil
}

// offer adds what is useful where it exists and is left out where it does not,
// or where it is an empty directory.
func (b *builder) offer(exec bool, paths ...string) {
	for _, path := range paths {
		found, err := b.tree.walk(path)
		if err != nil || b.permit(found) != nil || found.isDir() && b.isEmpty(found.path) {
			continue
		}
		b.commit(found, exec)
	}
}

// isEmpty says whether a directory is empty. One that is may be filled later.
func (b *builder) isEmpty(dir string) bool {
	file, err := os.Open(dir)
	if err != nil {
		return true
	}
	defer file.Close()
	if names, _ := file.Readdirnames(1); len(names) > 0 {
		return false
	}
	b.tree.watch(dir)
	return true
}

// claim lets files and directories be shown although not every user may read
// them. Only what lies in root is claimed: a symlink out of it is not.
func (b *builder) claim(root string, paths ...string) {
	for _, path := range paths {
		if found, err := b.tree.walk(path); err == nil && within(found.path, root) {
			b.own = append(b.own, found.path)
		}
	}
}

// permit says why a place may not be shown, or returns nil.
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
		bind := b.binds[found.path]
		b.binds[found.path] = Bind{Path: found.path, Exec: bind.Exec || exec, Public: found.public}
	}
	for _, link := range found.via {
		b.links[link.Path] = link.Target
	}
}

// closure returns what was collected, without what a bound directory brings.
func (b *builder) closure() Closure {
	var c Closure
	for _, path := range slices.SortedFunc(maps.Keys(b.links), comparePaths) {
		c.Links = append(c.Links, Link{Path: path, Target: b.links[path]})
	}
	c.Binds = slices.SortedFunc(maps.Values(b.binds), compareBinds)
	return c.pruned()
}
