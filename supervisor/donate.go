package supervisor

import (
	"fmt"
	"slices"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"golang.org/x/sys/unix"
)

// source is the host side of a bind that the supervisor opens as root, because
// the leased uid may not reach it (a script in /root).
type source = shim.Source

// listSources lists the sources of all binds, and rewrites each bind to name the
// donated descriptor, counted from first. Trees that the operator named are
// idmapped where the leased uid would not have its owner's rights, so that
// files come out owned by their owner (mount_setattr(2), MOUNT_ATTR_IDMAP).
func listSources(r *plan.Resolved, setup namespaces.Program, first int) (namespaces.Program, []source, error) {
	setup = slices.Clone(setup)
	var sources []source
	for i := range setup {
		op := &setup[i]
		if op.Code != namespaces.OpBind || op.S1 == "" || op.Flags&namespaces.FlagPin != 0 {
			continue
		}
		var st unix.Stat_t
		if err := unix.Lstat(op.S1, &st); err != nil {
			return nil, nil, fmt.Errorf("open %s for the sandbox: %w", op.S1, err)
		}
		from := source{Path: op.S1}
		if needsIDMap(op, slices.Contains(r.Named, op.S1), &st) {
			from.Map, from.UID, from.GID = true, st.Uid, st.Gid
		}
		op.S1, op.N1 = "", uint64(first+len(sources))
		sources = append(sources, from)
	}
	return setup, sources, nil
}

// needsIDMap is true for trees of the operator's, but for single files that
// everyone may read, where the map would change nothing. Device nodes keep
// their owner.
func needsIDMap(op *namespaces.Op, named bool, st *unix.Stat_t) bool {
	if op.Flags&namespaces.FlagDev != 0 {
		return false
	}
	isDir := st.Mode&unix.S_IFMT == unix.S_IFDIR
	everyone := uint32(0o004)
	if isDir {
		everyone = 0o005
	}
	if op.Flags&namespaces.FlagReadOnly == 0 || st.Mode&everyone != everyone {
		return true
	}
	return named && isDir
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
