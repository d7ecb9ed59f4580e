package host

import "github.com/pysandbox/pysandbox/internal/errnos"

func (d *diagnosis) userNS() Check {
	c := Check{Name: "user namespaces", Tiers: []string{TierFull}}
	for _, try := range []func() error{tryUserNS, tryMounts, tryIDMap} {
		if err := try(); err != nil {
			return c.failed(classifyUserNS(d.settings, errnos.Of(err), d.Program))
		}
	}
	c.OK, c.Found = true, "user, mount, PID, IPC and UTS namespaces can be made"
	return c
}

func (d *diagnosis) netNS() Check {
	c := Check{Name: "network namespaces", Tiers: []string{TierFull}}
	if err := tryNetNS(); err != nil {
		return c.failed(classifyUserNS(d.settings, errnos.Of(err), d.Program))
	}
	c.OK, c.Found = true, "can be made"
	return c
}

func (d *diagnosis) proc() Check {
	c := Check{Name: "/proc of its own", Tiers: []string{TierFull}}
	err := tryProc()
	switch {
	case err == nil:
		c.OK, c.Found = true, "can be mounted"
	case tryMounts() != nil:
		c.Missing, c.Fix = "needs user namespaces", "see there"
	default:
		return c.failed(ProcFailure(errnos.Of(err)))
	}
	return c
}

// mounts tries the calls by which the stage builds its tree. A container's profile
// may permit some of them.
func (d *diagnosis) mounts() Check {
	c := Check{Name: "mount calls", Tiers: []string{TierFull}}
	if tryMounts() != nil {
		c.Missing, c.Fix = "needs user namespaces", "see there"
		return c
	}
	for _, call := range []struct {
		name string
		try  func() error
	}{{"open_tree", tryDetachedMounts}, {"fsopen", tryNewFilesystem}, {"pivot_root", tryPivotRoot}} {
		if err := call.try(); err != nil {
			c.Missing = "the kernel or a seccomp filter above this process refuses " + call.name + ": " + err.Error()
			c.Fix = "boot Linux 5.2 or later; in a container, " + allowInContainer
			return c
		}
	}
	c.OK, c.Found = true, "open_tree, fsopen and pivot_root work"
	return c
}

func (d *diagnosis) pidfd() Check {
	c := Check{Name: "pidfd_getfd", Tiers: []string{TierFull}}
	if d.settings.is("proc/sys/kernel/yama/ptrace_scope", yamaNoAttach) {
		c.Missing = "kernel.yama.ptrace_scope is 3, which forbids it to everyone until the next boot"
		c.Fix = "echo kernel.yama.ptrace_scope=2 | sudo tee /etc/sysctl.d/60-pysandbox-ptrace.conf, then reboot"
		return c
	}
	if err := tryPidfdGetfd(); err != nil {
		c.Missing = "the kernel or a seccomp filter above this process refuses it: " + err.Error()
		c.Fix = "in a container, add --cap-add=SYS_PTRACE or --security-opt seccomp=unconfined; elsewhere boot Linux 5.6 or later"
		return c
	}
	c.OK, c.Found = true, "permitted"
	return c
}

// yamaNoAttach is the value of kernel.yama.ptrace_scope that no process can
// change back (Documentation/admin-guide/LSM/Yama.rst).
const yamaNoAttach = 3
