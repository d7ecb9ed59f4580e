package supervisor

import (
	"fmt"
	"os"
	"slices"

	shim "github.com/pysandbox/pysandbox/cpython-shim"
	"github.com/pysandbox/pysandbox/namespaces"
	"github.com/pysandbox/pysandbox/plan"
	"golang.org/x/sys/unix"
)

// openSources opens the host side of every bind as root, because the leased uid
// may not reach it (a script in /root), and rewrites each bind to name the
// donated descriptor, counted from first. Trees that the operator named are
// idmapped where the leased uid would not have its owner's rights, so that
// files come out owned by their owner (mount_setattr(2), MOUNT_ATTR_IDMAP).
func openSources(r *plan.Resolved, c *child, setup namespaces.Program, first int) (namespaces.Program, []int, error) {
	setup = slices.Clone(setup)
	maps := idMaps{id: c.uid, open: map[[2]uint32]*os.File{}}
	defer maps.close()
	var donated []int
	for i := range setup {
		op := &setup[i]
		if op.Code != namespaces.OpBind || op.S1 == "" {
			continue
		}
		fd, err := openTree(op, slices.Contains(r.Named, op.S1), &maps)
		if err != nil {
			closeAll(donated)
			return nil, nil, fmt.Errorf("open %s for the sandbox: %w", op.S1, err)
		}
		op.S1, op.N1 = "", uint64(first+len(donated))
		donated = append(donated, fd)
	}
	return setup, donated, nil
}

// openTree clones the tree at op.S1 detached from any namespace. A path of a
// resolved plan has no symlinks; one that appeared since is refused.
func openTree(op *namespaces.Op, named bool, maps *idMaps) (int, error) {
	how := unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS}
	at, err := unix.Openat2(unix.AT_FDCWD, op.S1, &how)
	if err != nil {
		return -1, err
	}
	defer unix.Close(at)
	var st unix.Stat_t
	if err := unix.Fstat(at, &st); err != nil {
		return -1, err
	}
	const clone = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_EMPTY_PATH | unix.AT_RECURSIVE
	tree, err := unix.OpenTree(at, "", clone)
	if err != nil {
		return -1, err
	}
	if !needsIDMap(op, named, &st) {
		return tree, nil
	}
	if err := maps.apply(tree, st.Uid, st.Gid); err != nil {
		unix.Close(tree)
		return -1, err
	}
	return tree, nil
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

// idMaps caches one user namespace for each pair of owners.
type idMaps struct {
	id   int
	open map[[2]uint32]*os.File
}

func (m *idMaps) apply(tree int, uid, gid uint32) error {
	ns, ok := m.open[[2]uint32{uid, gid}]
	if !ok {
		var err error
		if ns, err = shim.IDMapNamespace(int(uid), int(gid), m.id); err != nil {
			return err
		}
		m.open[[2]uint32{uid, gid}] = ns
	}
	attr := unix.MountAttr{Attr_set: unix.MOUNT_ATTR_IDMAP, Userns_fd: uint64(ns.Fd())}
	err := unix.MountSetattr(tree, "", unix.AT_EMPTY_PATH|unix.AT_RECURSIVE, &attr)
	if err != nil {
		return fmt.Errorf("map owner %d:%d to %d (the filesystem must support idmapped mounts): %w",
			uid, gid, m.id, err)
	}
	return nil
}

func (m *idMaps) close() {
	for _, ns := range m.open {
		_ = ns.Close()
	}
}

func closeAll(fds []int) {
	for _, fd := range fds {
		_ = unix.Close(fd)
	}
}
