package host

import (
	"os"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroupMount is where every distribution mounts its control groups
// (cgroups(7)).
const cgroupMount = "/sys/fs/cgroup"

// Cgroup says where this process may make control groups.
type Cgroup struct {
	Version int // 1 or 2; 0 where none are mounted

	// Parents has, for "memory", "pids" and "cpu", the directory in which a group
	// with that controller can be made by hand.
	Parents map[string]string

	// Systemd says that a manager can be asked for a scope over D-Bus: the
	// system's as root, the user's own otherwise.
	Systemd bool
}

// cgroupControllers are those that the limits of a policy need.
func cgroupControllers() []string { return []string{"memory", "pids", "cpu"} }

// ReadCgroup finds out where groups can be made. It makes none.
func ReadCgroup() Cgroup {
	c := Cgroup{Parents: make(map[string]string), Systemd: systemdReachable()}
	membership, err := os.ReadFile("/proc/self/cgroup")
	if err != nil {
		return c
	}
	var fs unix.Statfs_t
	switch {
	case unix.Statfs(cgroupMount, &fs) != nil:
		return c
	case fs.Type == unix.CGROUP2_SUPER_MAGIC:
		c.readUnified(cgroupMount, string(membership))
	default:
		c.readLegacy(cgroupMount, string(membership))
	}
	return c
}

// readLegacy looks for the hierarchies of version 1. A process in a container
// may see its group at the root of the mount, under a path that is not its own.
func (c *Cgroup) readLegacy(root, membership string) {
	for _, controller := range cgroupControllers() {
		mount := filepath.Join(root, controller)
		own := memberOf(membership, controller)
		for _, dir := range []string{filepath.Join(mount, own), mount} {
			if own == "" || unix.Access(filepath.Join(dir, "cgroup.procs"), unix.F_OK) != nil {
				continue
			}
			c.Version = 1
			if writable(dir) {
				c.Parents[controller] = dir
				break
			}
		}
	}
}

// readUnified looks upwards for the nearest group in which groups can be made
// and whose controllers are passed on. A group that has processes cannot pass
// them on (cgroups(7), "no internal processes"), so the own group comes last,
// but for the root, which is exempt.
func (c *Cgroup) readUnified(root, membership string) {
	c.Version = 2
	own := filepath.Join(root, memberOf(membership, ""))
	if own == root {
		c.offerUnified(own, "cgroup.subtree_control")
	}
	for dir := own; dir != root && within(dir, root); {
		dir = filepath.Dir(dir)
		c.offerUnified(dir, "cgroup.subtree_control")
	}
	c.offerUnified(own, "cgroup.controllers")
}

// offerUnified takes a directory for each controller that a file of it lists.
func (c *Cgroup) offerUnified(dir, file string) {
	if !writable(dir) || !writable(filepath.Join(dir, "cgroup.procs")) {
		return
	}
	text, err := os.ReadFile(filepath.Join(dir, file))
	if err != nil {
		return
	}
	listed := strings.Fields(string(text))
	for _, controller := range cgroupControllers() {
		if _, found := c.Parents[controller]; !found && slices.Contains(listed, controller) {
			c.Parents[controller] = dir
		}
	}
}

// memberOf returns the path of the group of this process in the hierarchy of a
// controller; the empty name is version 2. Lines of /proc/self/cgroup have the
// form "hierarchy:controllers:path".
func memberOf(membership, controller string) string {
	for line := range strings.Lines(membership) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) == 3 && slices.Contains(strings.Split(fields[1], ","), controller) {
			return fields[2]
		}
	}
	return ""
}

func writable(path string) bool {
	return unix.Faccessat(unix.AT_FDCWD, path, unix.W_OK, unix.AT_EACCESS) == nil
}

// systemdReachable says whether the manager that this user would ask is there
// (sd_booted(3)).
func systemdReachable() bool {
	if _, err := os.Lstat("/run/systemd/system"); err != nil {
		return false
	}
	if os.Geteuid() == 0 {
		return true
	}
	runtime := os.Getenv("XDG_RUNTIME_DIR")
	_, err := os.Lstat(filepath.Join(runtime, "systemd", "private"))
	return filepath.IsAbs(runtime) && err == nil
}
