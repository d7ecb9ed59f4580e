package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/cgroups"
	"golang.org/x/sys/unix"
)

// The kinds of control groups, as a report names them.
const (
	CgroupNone    = "none"
	CgroupV1      = "v1"
	CgroupV2      = "v2"
	CgroupSystemd = "systemd" // v2, made by systemd as a scope
)

// CgroupPlace is where this process may make a control group for a sandbox, and
// what that can limit. It is always below the process's own group, so that
// whatever bounds the caller bounds the sandbox.
type CgroupPlace struct {
	Kind   string
	Memory bool
	Pids   bool
	CPU    bool   // CPU time can be counted
	Quota  bool   // CPU time can be rationed
	Reason string // why something is missing and what would fix it

	dirs map[string]string // by controller; for v2 one, named ""
	join bool              // v2: what is in dirs[""] must leave it first
}

// cgroupRoot is where control groups are mounted by convention; the library
// that reads and writes them looks nowhere else.
const cgroupRoot = "/sys/fs/cgroup"

// FindCgroup looks for a place. It changes nothing.
func FindCgroup() CgroupPlace {
	own, err := cgroups.ParseCgroupFile("/proc/self/cgroup")
	if err != nil {
		return CgroupPlace{Kind: CgroupNone, Reason: fmt.Sprintf("which control groups hold this process is unknown: %v", err)}
	}
	var fs unix.Statfs_t
	if err := unix.Statfs(cgroupRoot, &fs); err != nil {
		return CgroupPlace{Kind: CgroupNone, Reason: cgroupRoot + " is not mounted"}
	}
	if fs.Type == unix.CGROUP2_SUPER_MAGIC {
		return findV2(own[""])
	}
	return findV1(own)
}

// findV1 takes each controller by itself: each has a tree of its own.
func findV1(own map[string]string) CgroupPlace {
	p := CgroupPlace{Kind: CgroupV1, dirs: map[string]string{}}
	var missing []string
	for _, controller := range []string{"memory", "pids", "cpuacct", "cpu"} {
		dir, err := v1Dir(controller, own)
		if err != nil {
			missing = append(missing, err.Error())
			continue
		}
		p.dirs[controller] = dir
	}
	p.Memory, p.Pids = p.dirs["memory"] != "", p.dirs["pids"] != ""
	p.CPU, p.Quota = p.dirs["cpuacct"] != "", p.dirs["cpu"] != ""
	p.Reason = strings.Join(missing, "; ")
	if len(p.dirs) == 0 {
		p.Kind = CgroupNone
	}
	return p
}

// v1Dir is this process's own directory of a controller, if groups can be made
// in it. In a container whose group is the root of the mount, the path that
// /proc/self/cgroup names is not there.
func v1Dir(controller string, own map[string]string) (string, error) {
	path, mounted := own[controller]
	if !mounted {
		return "", fmt.Errorf("no v1 controller %s", controller)
	}
	root := filepath.Join(cgroupRoot, controller)
	dir := filepath.Join(root, path)
	err := canMake(dir)
	if errors.Is(err, unix.ENOENT) {
		dir = root
		err = canMake(dir)
	}
	return dir, err
}

// canMake says whether this process may make groups in dir, or in the directory
// "pysandbox" there that was made for it.
func canMake(dir string) error {
	const write = unix.W_OK | unix.X_OK
	err := unix.Faccessat(unix.AT_FDCWD, dir, write, unix.AT_EACCESS)
	if err == nil || unix.Faccessat(unix.AT_FDCWD, filepath.Join(dir, groupName), write, unix.AT_EACCESS) == nil {
		return nil
	}
	return fmt.Errorf("%s cannot be written by uid %d (was it delegated?): %w", dir, os.Geteuid(), err)
}

// findV2 looks, in this order, at this process's own group, at the one above
// (where DelegateSubgroup= of systemd.resource-control(5) put this process below
// what it delegated), and at systemd.
func findV2(own string) CgroupPlace {
	dir := filepath.Join(cgroupRoot, own)
	p, err := v2Dir(dir, true)
	if err == nil {
		return p
	}
	if dir != cgroupRoot {
		if above, err := v2Dir(filepath.Dir(dir), false); err == nil {
			return above
		}
	}
	if p, found := findSystemd(own); found {
		return p
	}
	return CgroupPlace{Kind: CgroupNone, Reason: err.Error()}
}

// v2Dir is a place in dir if limits can be had there. A group passes controllers
// on to its children only if it has no processes of its own (cgroups(7), "no
// internal processes"), so what is in the way has to move to a group beside the
// sandbox's: see mayMove.
func v2Dir(dir string, inIt bool) (CgroupPlace, error) {
	if err := canMake(dir); err != nil {
		return CgroupPlace{}, err
	}
	if managedBySystemd(dir) {
		return CgroupPlace{}, fmt.Errorf("%s belongs to systemd, which did not delegate it (Delegate=yes)", dir)
	}
	offered, err := words(dir, "cgroup.controllers")
	if err != nil {
		return CgroupPlace{}, err
	}
	p := CgroupPlace{Kind: CgroupV2, CPU: true, dirs: map[string]string{"": dir}}
	if !isV2Root(dir) {
		pids, err := cgroups.GetPids(dir)
		if err != nil {
			return CgroupPlace{}, fmt.Errorf("list the processes of %s: %w", dir, err)
		}
		p.join = len(pids) > 0 && mayMove(dir, pids)
		if len(pids) > 0 && (!inIt || !p.join) {
			return CgroupPlace{}, fmt.Errorf("%s cannot limit its children while other processes are in it", dir)
		}
	}
	p.Memory, p.Pids = slices.Contains(offered, "memory"), slices.Contains(offered, "pids")
	p.Quota = slices.Contains(offered, "cpu")
	if !p.Memory && !p.Pids {
		return CgroupPlace{}, fmt.Errorf("%s has the controllers %v only", dir, offered)
	}
	if !p.Memory || !p.Pids || !p.Quota {
		p.Reason = fmt.Sprintf("%s has the controllers %v only", dir, offered)
	}
	return p, nil
}

// isV2Root is true for the one group that may have both processes and
// controllers for its children.
func isV2Root(dir string) bool {
	return !cgroups.PathExists(filepath.Join(dir, "cgroup.type"))
}

// managedBySystemd is true where systemd runs and has not delegated dir.
func managedBySystemd(dir string) bool {
	return cgroups.PathExists("/run/systemd/system") && !delegated(dir)
}

// delegated is true where systemd has marked dir as that of a unit with Delegate=yes
// (the attribute is user.delegate since systemd 251, trusted.delegate before, which
// only root can read).
func delegated(dir string) bool {
	var mark [8]byte
	for _, name := range []string{"user.delegate", "trusted.delegate"} {
		if n, err := unix.Getxattr(dir, name, mark[:]); err == nil && string(mark[:n]) == "1" {
			return true
		}
	}
	return false
}

// findSystemd is the place that systemd makes on request: the system's for root; for
// an ordinary user the user's own, in whose slice this process, of group own, must be.
// A service of the system's would escape what bounds it.
func findSystemd(own string) (CgroupPlace, bool) {
	if !cgroups.PathExists("/run/systemd/system") {
		return CgroupPlace{}, false
	}
	dir, bus := cgroupRoot, "/run/dbus/system_bus_socket"
	if uid := strconv.Itoa(os.Geteuid()); uid != "0" {
		slice := filepath.Join("/user.slice", "user-"+uid+".slice")
		if !strings.HasPrefix(own, slice+"/") {
			return CgroupPlace{}, false
		}
		dir, bus = filepath.Join(cgroupRoot, slice, "user@"+uid+".service"), userBus()
	}
	offered, err := words(dir, "cgroup.controllers")
	if err != nil || !cgroups.PathExists(bus) {
		return CgroupPlace{}, false
	}
	p := CgroupPlace{Kind: CgroupSystemd, CPU: true}
	p.Memory, p.Pids = slices.Contains(offered, "memory"), slices.Contains(offered, "pids")
	p.Quota = slices.Contains(offered, "cpu")
	if !p.Quota {
		p.Reason = "systemd does not delegate the cpu controller to this user; set Delegate=cpu memory pids for user@.service"
	}
	return p, p.Memory || p.Pids
}

// words reads a list such as cgroup.controllers.
func words(dir, file string) ([]string, error) {
	data, err := cgroups.ReadFile(dir, file)
	if errors.Is(err, os.ErrNotExist) {
		return nil, fmt.Errorf("%s is no control group", dir)
	}
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", file, err)
	}
	return strings.Fields(data), nil
}
