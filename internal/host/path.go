package host

import (
	"errors"
	"fmt"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// Path is what stands at a path that a policy or a command line names.
type Path struct {
	Real   string // without symlinks; empty if nothing is there
	Links  []Link // the symlinks on the way, in order
	Dir    bool
	Socket bool
	Owner  uint32 // uid
	Err    error  // why Real is empty

	Planted error // a link on the way that others may have made, or nil
}

// LookPaths looks at absolute paths. Every path has an entry in the result.
func LookPaths(paths []string, caller Caller) map[string]Path {
	t := newTree()
	found := make(map[string]Path, len(paths))
	for _, path := range paths {
		at, err := t.walk(path)
		there := Path{Links: at.via, Err: err, Planted: t.planted(at.via, caller)}
		if err == nil {
			there.Real, there.Dir, there.Socket, there.Owner = at.path, at.isDir(), at.isSocket(), at.stat.Uid
		}
		found[path] = there
	}
	return found
}

// planted finds a link that someone else may have made: its owner is neither root nor
// the caller, as for /proc/sys/fs/protected_symlinks (proc(5)). Root does not rely on
// the owner alone, since a hard link to one of root's links may be put anywhere.
func (t *tree) planted(links []Link, caller Caller) error {
	for _, link := range links {
		made, dir := t.lstat(link.Path), t.lstat(filepath.Dir(link.Path))
		switch {
		case made.err != nil || dir.err != nil:
			return fmt.Errorf("who made the link %s is unknown: %w", link.Path, errors.Join(made.err, dir.err))
		case !caller.trusts(made.stat.Uid):
			return fmt.Errorf("the link %s belongs to uid %d, who is neither root nor the caller", link.Path, made.stat.Uid)
		case caller.UID == 0 && !caller.alone(dir.stat):
			return fmt.Errorf("the link %s stands in a directory that others than root may write", link.Path)
		}
	}
	return nil
}

// alone says whether nobody but the caller and root may write a directory.
func (c Caller) alone(dir unix.Stat_t) bool {
	const group, others = 0o020, 0o002
	return c.trusts(dir.Uid) && dir.Mode&others == 0 && (dir.Mode&group == 0 || dir.Gid == 0)
}
