package host

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// cgroup makes and removes a group with the controller.
func (d *diagnosis) cgroup(have Cgroup, controller string) Check {
	c := Check{Name: controller + " limit"}
	parent, ok := have.Parents[controller]
	if ok {
		if err := tryGroup(parent, controller); err != nil {
			c.Missing = err.Error()
			c.Fix = d.cgroupFix(have, controller)
			return c
		}
		c.OK, c.Found = true, fmt.Sprintf("cgroup v%d: groups can be made in %s", have.Version, parent)
		return c
	}
	if have.Systemd && have.Version == 2 {
		if d.delegates(controller) {
			c.OK, c.Found = true, "cgroup v2: systemd can be asked for a scope"
			return c
		}
	}
	switch have.Version {
	case 0:
		c.Missing = "no control groups are mounted at " + cgroupMount
	default:
		c.Missing = fmt.Sprintf("cgroup v%d: this user may make no group with the %s controller", have.Version, controller)
	}
	c.Fix = d.cgroupFix(have, controller)
	return c
}

// tryGroup makes a group and looks whether it has files of the controller.
func tryGroup(parent, controller string) error {
	dir, err := os.MkdirTemp(parent, "pysandbox-doctor-")
	if err != nil {
		return fmt.Errorf("make a control group: %w", err)
	}
	files, err := filepath.Glob(filepath.Join(dir, controller+".*"))
	if removeErr := os.Remove(dir); removeErr != nil {
		return fmt.Errorf("remove a control group: %w", removeErr)
	}
	if err == nil && len(files) == 0 {
		err = fmt.Errorf("a group made in %s has no %s controller", parent, controller)
	}
	return err
}

// delegates says whether systemd passes a controller on to this user.
func (d *diagnosis) delegates(controller string) bool {
	if d.Caller.UID == 0 {
		return true
	}
	uid := strconv.Itoa(d.Caller.UID)
	text, _ := d.settings.text("sys/fs/cgroup/user.slice/user-" + uid + ".slice/user@" + uid + ".service/cgroup.controllers")
	for _, listed := range strings.Fields(text) {
		if listed == controller {
			return true
		}
	}
	return false
}

func (d *diagnosis) cgroupFix(have Cgroup, controller string) string {
	root := d.Caller.UID == 0
	booted := exists("/run/systemd/system")
	switch {
	case root && have.Version != 0:
		return "mount " + cgroupMount + " writable; for a container: --privileged, or --cgroupns=private with a writable cgroup mount"
	case have.Version == 0:
		return "sudo mount -t cgroup2 none " + cgroupMount
	case have.Version == 2 && booted && !have.Systemd:
		return "sudo loginctl enable-linger $USER && export XDG_RUNTIME_DIR=/run/user/$(id -u)"
	case have.Version == 2 && booted && !d.delegates(controller):
		return "sudo mkdir -p /etc/systemd/system/user@.service.d && " +
			echoed("[Service]", "Delegate=cpu cpuset io memory pids") + " | sudo tee /etc/systemd/system/user@.service.d/delegate.conf && " +
			"sudo systemctl daemon-reload, then log in again"
	case have.Version == 2 && booted:
		return "systemd-run --user --scope -p Delegate=yes pysandbox exec ..."
	case have.Version == 2:
		return "as root: mkdir " + cgroupMount + "/pysandbox; echo +memory +pids +cpu > " + cgroupMount + "/cgroup.subtree_control; " +
			"mkdir " + cgroupMount + "/pysandbox/shell; chown -R $USER " + cgroupMount + "/pysandbox; echo $$ > " + cgroupMount + "/pysandbox/shell/cgroup.procs; " +
			"echo +memory +pids +cpu > " + cgroupMount + "/pysandbox/cgroup.subtree_control"
	default:
		return "sudo cgcreate -a $USER -t $USER -g memory,pids,cpu:pysandbox && cgexec -g memory,pids,cpu:pysandbox pysandbox exec ..."
	}
}

// lease checks that no user may have an id of the range from which root's
// sandboxes take theirs.
func (d *diagnosis) lease() Check {
	last := d.LeaseFirst + d.LeaseCount - 1
	c := Check{Name: "ids of root's sandboxes", Tiers: []string{tierFull}, Found: fmt.Sprintf("%d-%d", d.LeaseFirst, last)}
	for _, file := range []string{"etc/subuid", "etc/subgid"} {
		text, _ := d.settings.text(file)
		if line, overlaps := overlapping(text, d.LeaseFirst, d.LeaseCount); overlaps {
			c.Missing = fmt.Sprintf("/%s gives some of them away: %s", file, line)
			c.Fix = fmt.Sprintf("give that user another range: usermod --del-subuids/--del-subgids and --add-subuids/--add-subgids (usermod(8)); %d-%d must stay free", d.LeaseFirst, last)
			return c
		}
	}
	for _, file := range []string{"etc/passwd", "etc/group"} {
		text, _ := d.settings.text(file)
		if line, found := idWithin(text, d.LeaseFirst, d.LeaseCount); found {
			c.Missing = fmt.Sprintf("/%s has one of them: %s", file, line)
			c.Fix = "give that account another id (usermod -u, groupmod -g)"
			return c
		}
	}
	c.OK = true
	return c
}

// overlapping returns a line "name:first:count" of subuid(5) that shares ids
// with a range.
func overlapping(text string, first, count uint32) (string, bool) {
	for line := range strings.Lines(text) {
		fields := strings.Split(strings.TrimSpace(line), ":")
		if len(fields) != 3 {
			continue
		}
		start, err := strconv.ParseUint(fields[1], 10, 32)
		size, err2 := strconv.ParseUint(fields[2], 10, 33)
		if err == nil && err2 == nil && start < uint64(first)+uint64(count) && uint64(first) < start+size {
			return strings.TrimSpace(line), true
		}
	}
	return "", false
}

// idWithin returns a line of passwd(5) or group(5), whose third field is the id,
// with an id in a range.
func idWithin(text string, first, count uint32) (string, bool) {
	for line := range strings.Lines(text) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 4)
		if len(fields) < 3 {
			continue
		}
		id, err := strconv.ParseUint(fields[2], 10, 32)
		if err == nil && id >= uint64(first) && id < uint64(first)+uint64(count) {
			return fields[0], true
		}
	}
	return "", false
}

func exists(path string) bool {
	_, err := os.Lstat(path)
	return err == nil
}
