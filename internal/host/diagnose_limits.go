package host

import (
	"fmt"
	"io/fs"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// limit tells of one limit that needs control groups. Without them a policy that
// asks for it is refused, unless it calls the limit best effort.
func (d *diagnosis) limit(name string, available bool) Check {
	if available {
		return Check{Name: name, OK: true, Found: d.Limits.Place}
	}
	missing := d.Limits.Reason
	if missing == "" {
		missing = "no control group can be made"
	}
	return Check{Name: name, Missing: missing, Fix: d.groupFix()}
}

const cgroupMount = "/sys/fs/cgroup"

// groupFix is the command by which an administrator lets this user make control
// groups.
func (d *diagnosis) groupFix() string {
	version := d.cgroupVersion()
	_, err := fs.Stat(d.settings, "run/systemd/system") // sd_booted(3)
	booted := err == nil
	switch {
	case d.inContainer():
		return "bound the container, and with it pysandbox and its sandboxes: docker run --memory, --pids-limit and --cpus"
	case version == 0:
		return "sudo mount -t cgroup2 none " + cgroupMount
	case d.Caller.UID == 0:
		return "mount " + cgroupMount + " writable"
	case version == 1:
		return `for c in memory pids cpuacct cpu; do g=` + cgroupMount + `/$c$(awk -F: -v c=$c '$2 ~ "(^|,)" c "(,|$)" {print $3}' /proc/self/cgroup); ` +
			`sudo mkdir -p $g/pysandbox && sudo chown $USER $g/pysandbox; done`
	case booted && !d.hasUserManager():
		return "sudo loginctl enable-linger $USER"
	case booted:
		return "sudo mkdir -p /etc/systemd/system/user@.service.d && " +
			echoed("[Service]", "Delegate=cpu memory pids") + " | sudo tee /etc/systemd/system/user@.service.d/pysandbox.conf && " +
			"sudo systemctl daemon-reload && sudo systemctl restart user@$(id -u)"
	default:
		g := cgroupMount + "/pysandbox"
		return "sudo mkdir -p " + g + "/shell && echo '+memory +pids +cpu' | sudo tee " + cgroupMount + "/cgroup.subtree_control " + g + "/cgroup.subtree_control && " +
			"sudo chown -R $USER " + g + " && echo $$ | sudo tee " + g + "/shell/cgroup.procs"
	}
}

// inContainer is whether Docker or Podman says that this is one of theirs.
func (d *diagnosis) inContainer() bool {
	for _, mark := range []string{".dockerenv", "run/.containerenv"} {
		if _, err := fs.Stat(d.settings, mark); err == nil {
			return true
		}
	}
	return false
}

// cgroupVersion tells which hierarchy is mounted, 0 for none (cgroups(7)).
func (d *diagnosis) cgroupVersion() int {
	root := strings.TrimPrefix(cgroupMount, "/")
	if _, unified := d.settings.text(root + "/cgroup.controllers"); unified {
		return 2
	}
	if entries, err := fs.ReadDir(d.settings, root); err == nil && len(entries) > 0 {
		return 1
	}
	return 0
}

// hasUserManager says whether this user's own systemd can be asked for a scope.
func (d *diagnosis) hasUserManager() bool {
	_, err := fs.Stat(d.settings, fmt.Sprintf("run/user/%d/bus", d.Caller.UID))
	return err == nil
}

// lease checks that the range from which root's sandboxes take their ids is there,
// and that no user may have one of them.
func (d *diagnosis) lease() Check {
	last := d.LeaseFirst + d.LeaseCount - 1
	c := Check{Name: string(FeatureIDs), Tiers: []string{TierFull}, Found: fmt.Sprintf("%d-%d", d.LeaseFirst, last)}
	if lacksIDs(d.settings, d.LeaseFirst, d.LeaseCount) {
		return c.failed(LeaseFailure(unix.EINVAL)) // the answer of setresuid(2)
	}
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
