package supervisor

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"strconv"

	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs"
	"golang.org/x/sys/unix"
)

// newV1 makes one directory for each controller that a limit needs: each costs
// about 0.1 ms of a start.
func newV1(place CgroupPlace, limits CgroupLimits, config *cgroups.Cgroup) (*Cgroup, error) {
	r := config.Resources
	c := &Cgroup{Kind: CgroupV1, dirs: map[string]string{}}
	for controller, needed := range map[string]bool{
		"memory":  r.Memory != 0,
		"pids":    r.PidsLimit != nil,
		"cpu":     r.CpuQuota != 0,
		"cpuacct": limits.CountCPU && place.CPU,
	} {
		if !needed {
			continue
		}
		parent, err := makeParent(place.dirs[controller], limits.Group)
		if err != nil {
			return nil, err
		}
		c.parents = append(c.parents, parent)
		c.dirs[controller] = parent + "/" + config.Name
	}
	if len(c.dirs) == 0 {
		return nil, errNoCgroup
	}
	var err error
	if c.manager, err = fs.NewManager(config, maps.Clone(c.dirs)); err != nil { // the manager empties its own
		return nil, err
	}
	for _, dir := range c.directories() {
		err = errors.Join(err, os.Mkdir(dir, 0o755))
	}
	if err == nil {
		withoutSwapLimit(c.dirs["memory"], r)
		err = errors.Join(c.fill(r), limitSockets(c.dirs["memory"], r.Memory), c.openJoin())
	}
	if err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

// limitSockets bounds the memory of sockets, which version 1 counts apart from all
// other, at a quarter of the limit
// (Documentation/admin-guide/cgroup-v1/memory.rst, section 2.7.2).
func limitSockets(dir string, memory int64) error {
	const name = "memory.kmem.tcp.limit_in_bytes"
	if dir == "" || memory <= 0 || !cgroups.PathExists(dir+"/"+name) {
		return nil
	}
	return cgroups.WriteFile(dir, name, strconv.FormatInt(memory/4, 10))
}

// directories are those of dirs. Controllers that are mounted together, as cpu and
// cpuacct are by systemd, have one.
func (c *Cgroup) directories() []string {
	return slices.Compact(slices.Sorted(maps.Values(c.dirs)))
}

// openJoin opens the files of Join with the caller's rights.
func (c *Cgroup) openJoin() error {
	for _, dir := range c.directories() {
		file, err := cgroups.OpenFile(dir, "tasks", os.O_WRONLY)
		if err != nil {
			return err
		}
		c.Join = append(c.Join, file)
	}
	return nil
}

// withoutSwapLimit keeps memory from swap where the kernel does not account for
// it (swapaccount=0): the limit would be none.
func withoutSwapLimit(dir string, r *cgroups.Resources) {
	if r.MemorySwap == 0 || cgroups.PathExists(dir+"/memory.memsw.limit_in_bytes") {
		return
	}
	never := uint64(0)
	r.MemorySwap, r.MemorySwappiness = 0, &never
}

// watchMemory has the kernel tell when it must kill for memory: v1 by an
// eventfd (Documentation/admin-guide/cgroup-v1/memory.rst, section 10), v2 by a
// change of memory.events.
func (c *Cgroup) watchMemory() error {
	if c.Kind != CgroupV1 {
		return c.watchMemoryEvents()
	}
	dir := c.dirs["memory"]
	if dir == "" {
		return nil
	}
	fd, err := unix.Eventfd(0, unix.EFD_CLOEXEC|unix.EFD_NONBLOCK)
	if err != nil {
		return fmt.Errorf("make an event: %w", err)
	}
	c.events = os.NewFile(uintptr(fd), "memory events")
	if c.oom, err = cgroups.OpenFile(dir, "memory.oom_control", os.O_RDONLY); err != nil {
		return err
	}
	line := strconv.Itoa(fd) + " " + strconv.Itoa(int(c.oom.Fd()))
	return cgroups.WriteFile(dir, "cgroup.event_control", line)
}
