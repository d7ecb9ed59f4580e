package supervisor

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	systemdDbus "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
	"github.com/opencontainers/cgroups"
	"github.com/opencontainers/cgroups/fs2"
	"github.com/opencontainers/cgroups/systemd"
	"golang.org/x/sys/unix"
)

// supervisorGroup is where this process goes when it is in the way, with the others
// of its unit.
const supervisorGroup = "supervisor"

// newV2 makes pysandbox/<name> in place and passes the controllers down to it.
func newV2(place CgroupPlace, limits CgroupLimits, config *cgroups.Cgroup, pid int) (*Cgroup, error) {
	needed := v2Controllers(config.Resources)
	if len(needed) == 0 && !limits.CountCPU {
		return nil, errNoCgroup
	}
	top := place.dirs[""]
	if place.join {
		if err := stepAside(top); err != nil {
			return nil, err
		}
	}
	parent, err := makeParent(top, limits.Group)
	if err != nil {
		return nil, err
	}
	for _, dir := range []string{top, parent} {
		if err := passOn(dir, needed); err != nil {
			return nil, err
		}
	}
	c := &Cgroup{Kind: CgroupV2, parents: []string{parent}, dirs: map[string]string{"": parent + "/" + config.Name}}
	if err := os.Mkdir(c.dirs[""], 0o755); err != nil {
		return nil, err
	}
	if c.manager, err = fs2.NewManager(config, c.dirs[""]); err != nil {
		return nil, err // it fails without a path only
	}
	if err = c.fill(c.v2Resources(config.Resources)); err == nil {
		err = c.manager.AddPid("", pid)
	}
	if err != nil {
		return nil, errors.Join(err, c.Remove())
	}
	return c, nil
}

func v2Controllers(r *cgroups.Resources) []string {
	var needed []string
	if r.Memory != 0 {
		needed = append(needed, "memory")
	}
	if r.PidsLimit != nil {
		needed = append(needed, "pids")
	}
	if r.CpuQuota != 0 {
		needed = append(needed, "cpu")
	}
	return needed
}

// passOn gives the children of dir the controllers that it does not pass on.
func passOn(dir string, controllers []string) error {
	passed, err := words(dir, "cgroup.subtree_control")
	if err != nil {
		return err
	}
	var line []string
	for _, name := range controllers {
		if !slices.Contains(passed, name) {
			line = append(line, "+"+name)
		}
	}
	if len(line) == 0 {
		return nil
	}
	return cgroups.WriteFile(dir, "cgroup.subtree_control", strings.Join(line, " "))
}

// stepAside moves what is in dir into a group of its own. The stage may clone another
// process meanwhile.
func stepAside(dir string) error {
	aside := filepath.Join(dir, supervisorGroup)
	if err := os.Mkdir(aside, 0o755); err != nil && !errors.Is(err, os.ErrExist) {
		return err
	}
	const rounds = 1000 // a process that is ending may be listed and not moved
	for range rounds {
		pids, err := cgroups.GetPids(dir)
		if err != nil || len(pids) == 0 {
			return err
		}
		if !mayMove(dir, pids) {
			return fmt.Errorf("%s cannot limit its children while other processes are in it", dir)
		}
		for _, pid := range pids {
			if err := cgroups.WriteCgroupProc(aside, pid); err != nil && !errors.Is(err, unix.ESRCH) {
				return err
			}
		}
	}
	return fmt.Errorf("leave %s: some processes stay in it", dir)
}

// mayMove is whether these processes of dir may be moved to a group below it. In a
// unit with Delegate=yes all may, since the whole tree is the unit's and what bounds it
// bounds them there too (systemd's CGROUP_DELEGATION.md): the service that started
// this process, and other supervisors. Elsewhere only this one and what it started.
func mayMove(dir string, pids []int) bool { return delegated(dir) || areOurs(pids) }

// areOurs is whether each process is this one or descends from it.
func areOurs(pids []int) bool {
	return !slices.ContainsFunc(pids, func(pid int) bool { return !isOurs(pid) })
}

// isOurs is also true of a process that has ended: it is in nobody's way.
func isOurs(pid int) bool {
	for pid != os.Getpid() {
		parent, alive := parentOf(pid)
		if !alive {
			return true
		}
		if pid = parent; pid == 0 { // of an outer PID namespace
			return false
		}
	}
	return true
}

// parentOf is the parent of a process, 0 where that is of an outer PID namespace.
func parentOf(pid int) (parent int, alive bool) {
	number, alive := statFields(pid)
	if !alive {
		return 0, false
	}
	return int(number(4)), true
}

// v2Resources makes the kernel kill the whole group for memory (cgroup-v2.rst,
// memory.oom.group, Linux 4.19), and limits swap where the kernel counts it.
func (c *Cgroup) v2Resources(r *cgroups.Resources) *cgroups.Resources {
	dir := c.dirs[""]
	if r.Memory != 0 && cgroups.PathExists(dir+"/memory.oom.group") {
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}
	if r.MemorySwap != 0 && !cgroups.PathExists(dir+"/memory.swap.max") {
		r.MemorySwap = 0
	}
	return r
}

// busVariable names the bus of a user's systemd; su(1) and cron(8) may not set it.
const busVariable = "DBUS_SESSION_BUS_ADDRESS"

// userBus is where logind puts that bus (pam_systemd(8)).
func userBus() string { return filepath.Join("/run/user", strconv.Itoa(os.Geteuid()), "bus") }

// newScope has systemd make a scope and its group.
func newScope(limits CgroupLimits, config *cgroups.Cgroup, pid int) (*Cgroup, error) {
	r := config.Resources
	if len(v2Controllers(r)) == 0 && !limits.CountCPU {
		return nil, errNoCgroup
	}
	if os.Geteuid() != 0 && os.Getenv(busVariable) == "" {
		if err := os.Setenv(busVariable, "unix:path="+userBus()); err != nil { // for the library
			return nil, err
		}
	}
	config.ScopePrefix, config.Systemd = groupName, true
	config.SystemdProps = []systemdDbus.Property{
		// A scope whose program failed must not stay behind (systemd.unit(5)).
		{Name: "CollectMode", Value: dbus.MakeVariant("inactive-or-failed")},
	}
	if r.Memory != 0 {
		r.Unified = map[string]string{"memory.oom.group": "1"}
	}
	manager, err := systemd.NewUnifiedManager(config, "")
	if err != nil {
		return nil, err
	}
	c := &Cgroup{Kind: CgroupSystemd, manager: manager, dirs: map[string]string{"": manager.Path("")}}
	if err = manager.Apply(pid); err == nil {
		err = manager.Set(r)
	}
	if err == nil {
		err = c.watchMemoryEvents()
	}
	if err != nil {
		return nil, errors.Join(err, manager.Destroy())
	}
	return c, nil
}

// watchMemoryEvents watches memory.events, which the kernel announces to
// inotify(7) (cgroup-v2.rst: "a file modified event").
func (c *Cgroup) watchMemoryEvents() error {
	path := c.dirs[""] + "/memory.events"
	if !cgroups.PathExists(path) {
		return nil
	}
	fd, err := unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	if err != nil {
		return fmt.Errorf("watch memory.events: %w", err)
	}
	c.events = os.NewFile(uintptr(fd), "memory events")
	if _, err := unix.InotifyAddWatch(fd, path, unix.IN_MODIFY); err != nil {
		return fmt.Errorf("watch memory.events: %w", err)
	}
	return nil
}
