package supervisor

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"strings"
	"sync"
	"time"

	"github.com/opencontainers/cgroups"
	specs "github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"
)

// groupName is the directory that holds the groups of all sandboxes.
const groupName = "pysandbox"

// Cgroup is the control group of one sandbox. A nil *Cgroup is a sandbox without
// one: it counts nothing and has no limits.
type Cgroup struct {
	Kind string

	// Join are files to each of which the process must write "0" to enter the
	// group, while it has one thread; empty if it is in already. Only v1 has
	// them. Moving itself, a thread waits for nobody; to move another process
	// by its pid, the kernel waits for an RCU grace period, 10 ms more often
	// than not (cgroup_procs_write_start in kernel/cgroup/cgroup.c). The right
	// to move is that of who opened the file, since Linux 5.16.
	Join []*os.File

	manager cgroups.Manager
	dirs    map[string]string // by controller; for v2 one, named ""
	parents []string          // directories named pysandbox that hold dirs
	events  *os.File          // readable when the kernel had to kill for memory
	oom     *os.File          // v1: what events is about; must stay open

	mu   sync.Mutex
	last map[counter]uint64 // what was read of each counter last
}

// CgroupLimits are what a control group is to do.
type CgroupLimits struct {
	Resources *specs.LinuxResources // memory, pids and CPU quota
	CountCPU  bool                  // count CPU time of the whole tree
	Group     int                   // group that may remove it, or -1: see become
}

// errNoCgroup says that no limit needs a group.
var errNoCgroup = errors.New("nothing to limit")

// NewCgroup makes a group in place for process pid and sets its limits. The
// process is in it when it has written to Join. Limits that place does not offer are
// left out: what is available was decided when the plan was resolved. If nothing
// remains, it returns nil.
func NewCgroup(place CgroupPlace, limits CgroupLimits, pid int) (*Cgroup, error) {
	config := &cgroups.Cgroup{Name: randomName(), Resources: place.resources(limits.Resources), Rootless: os.Geteuid() != 0}
	var c *Cgroup
	var err error
	switch place.Kind {
	case CgroupV1:
		c, err = newV1(place, limits, config)
	case CgroupV2:
		c, err = newV2(place, limits, config, pid)
	case CgroupSystemd:
		c, err = newScope(limits, config, pid)
	default:
		return nil, nil
	}
	if errors.Is(err, errNoCgroup) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("make a control group (%s): %w", place.Kind, err)
	}
	return c, nil
}

// resources translates what the place offers.
func (p CgroupPlace) resources(r *specs.LinuxResources) *cgroups.Resources {
	out := &cgroups.Resources{SkipDevices: true}
	if r == nil {
		return out
	}
	if p.Memory && r.Memory != nil && r.Memory.Limit != nil {
		out.Memory = *r.Memory.Limit
		if r.Memory.Swap != nil && hasSwap() {
			out.MemorySwap = *r.Memory.Swap
		}
	}
	if p.Pids && r.Pids != nil {
		out.PidsLimit = r.Pids.Limit
	}
	if p.Quota && r.CPU != nil && r.CPU.Quota != nil && r.CPU.Period != nil {
		out.CpuQuota, out.CpuPeriod = *r.CPU.Quota, *r.CPU.Period
	}
	return out
}

// limits is whether a group in this place would do anything.
func (p CgroupPlace) limits(l CgroupLimits) bool {
	if p.Kind == "" || p.Kind == CgroupNone {
		return false
	}
	r := p.resources(l.Resources)
	return r.Memory != 0 || r.PidsLimit != nil || r.CpuQuota != 0 || l.CountCPU
}

// hasSwap is true if memory can leave for swap at all.
func hasSwap() bool {
	var info unix.Sysinfo_t
	return unix.Sysinfo(&info) != nil || info.Totalswap > 0
}

// makeParent makes the directory pysandbox in dir. As root it belongs to group,
// which each supervisor keeps when it gives up root, so that it can remove its
// group at the end.
func makeParent(dir string, group int) (string, error) {
	parent := dir + "/" + groupName
	var st unix.Stat_t
	err := unix.Lstat(parent, &st)
	if errors.Is(err, unix.ENOENT) {
		if err = os.Mkdir(parent, 0o755); errors.Is(err, os.ErrExist) { // by another run
			err = nil
		}
	}
	switch {
	case err != nil:
		return "", fmt.Errorf("make %s: %w", parent, err)
	case group < 0, st.Uid == 0 && int(st.Gid) == group && st.Mode&0o7777 == 0o770:
		return parent, nil
	}
	if err := os.Lchown(parent, 0, group); err != nil {
		return "", err
	}
	return parent, os.Chmod(parent, 0o770)
}

// fill sets the limits and begins to watch; the group's directories are there.
func (c *Cgroup) fill(r *cgroups.Resources) error {
	if err := c.manager.Set(r); err != nil {
		return fmt.Errorf("set the limits: %w", err)
	}
	return c.watchMemory()
}

// CloseJoin closes the files of Join.
func (c *Cgroup) CloseJoin() {
	if c == nil {
		return
	}
	for _, file := range c.Join {
		_ = file.Close()
	}
	c.Join = nil
}

// sweepOnce is how many runs share the cost of one Sweep.
const sweepOnce = 8

// Remove removes the group, whose processes must have ended, and closes what was
// open. Now and then it sweeps. It is safe to call more than once.
func (c *Cgroup) Remove() error {
	if c == nil {
		return nil
	}
	c.CloseJoin()
	for _, file := range []*os.File{c.events, c.oom} {
		if file != nil {
			_ = file.Close()
		}
	}
	c.events, c.oom = nil, nil
	if c.Kind == CgroupSystemd {
		return nil // systemd removes the scope with its last process
	}
	if rand.IntN(sweepOnce) == 0 {
		c.Sweep()
	}
	return c.manager.Destroy()
}

// staleAge is how long a group must have been there before Sweep takes it for a
// leftover: one that is just being made is empty too.
const staleAge = time.Minute

// Sweep removes empty groups beside c that runs left behind which were killed.
func (c *Cgroup) Sweep() {
	if c == nil {
		return
	}
	for _, parent := range c.parents {
		entries, err := os.ReadDir(parent)
		if err != nil {
			continue
		}
		for _, entry := range entries {
			if !entry.IsDir() || strings.HasPrefix(entry.Name(), supervisorGroup) {
				continue // most entries are files, which need no look
			}
			if info, err := entry.Info(); err == nil && time.Since(info.ModTime()) > staleAge {
				_ = unix.Rmdir(parent + "/" + entry.Name()) // EBUSY: it is alive
			}
		}
	}
}
