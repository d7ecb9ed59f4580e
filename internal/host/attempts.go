package host

import "golang.org/x/sys/unix"

// The attempts of Diagnose. Each does in a child what a sandbox does at its
// start, and returns what the kernel answers.

// sandboxNamespaces are those in which a sandbox of the full tier is cloned; it
// moves itself to a cgroup namespace later.
const sandboxNamespaces = unix.CLONE_NEWUSER | unix.CLONE_NEWNS | unix.CLONE_NEWPID |
	unix.CLONE_NEWIPC | unix.CLONE_NEWUTS

// currentDirectory is AT_FDCWD, -100, as a register holds it.
const currentDirectory = ^uintptr(99)

func tryUserNS() error { return attempt(sandboxNamespaces) }

func tryNetNS() error { return attempt(unix.CLONE_NEWUSER | unix.CLONE_NEWNET) }

// tryMounts makes the mounts of new namespaces private. That takes the
// capability which AppArmor withholds from a program without a profile, although
// it lets the program make the namespace.
func tryMounts() error {
	var m memory
	defer m.free()
	return attempt(unix.CLONE_NEWUSER|unix.CLONE_NEWNS, m.privateMounts())
}

func (m *memory) privateMounts() call {
	return call{unix.SYS_MOUNT, [6]uintptr{0, m.text("/"), 0, unix.MS_REC | unix.MS_PRIVATE}}
}

// tryProc mounts a new /proc in new namespaces. The kernel refuses it where parts
// of the present one are hidden by other mounts (mount_namespaces(7)).
func tryProc() error {
	var m memory
	defer m.free()
	const flags = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	return attempt(unix.CLONE_NEWUSER|unix.CLONE_NEWNS|unix.CLONE_NEWPID,
		m.privateMounts(),
		call{unix.SYS_MOUNT, [6]uintptr{m.text("proc"), m.text("/proc"), m.text("proc"), flags}})
}

// tryIDMap opens the file through which ids are mapped in a new user namespace.
func tryIDMap() error {
	var m memory
	defer m.free()
	return attempt(unix.CLONE_NEWUSER,
		call{unix.SYS_OPENAT, [6]uintptr{currentDirectory, m.text("/proc/self/uid_map"), unix.O_WRONLY | unix.O_CLOEXEC}})
}

// tryDetachedMounts copies the mount tree as the stage does (open_tree(2)).
func tryDetachedMounts() error {
	var m memory
	defer m.free()
	const flags = unix.OPEN_TREE_CLONE | unix.OPEN_TREE_CLOEXEC | unix.AT_RECURSIVE
	return attempt(unix.CLONE_NEWUSER|unix.CLONE_NEWNS,
		call{unix.SYS_OPEN_TREE, [6]uintptr{currentDirectory, m.text("/"), flags}})
}

// tryNewFilesystem makes a file system that is mounted nowhere yet (fsopen(2)).
func tryNewFilesystem() error {
	var m memory
	defer m.free()
	const closeOnExec = 1 // FSOPEN_CLOEXEC
	return attempt(unix.CLONE_NEWUSER|unix.CLONE_NEWNS,
		call{unix.SYS_FSOPEN, [6]uintptr{m.text("tmpfs"), closeOnExec}})
}

// tryPivotRoot leaves the host's tree for an empty one (pivot_root(2)), which it
// mounts over a directory that is always there.
func tryPivotRoot() error {
	var m memory
	defer m.free()
	here := m.text(".")
	return attempt(unix.CLONE_NEWUSER|unix.CLONE_NEWNS,
		m.privateMounts(),
		call{unix.SYS_MOUNT, [6]uintptr{m.text("none"), m.text("/proc"), m.text("tmpfs")}},
		call{unix.SYS_CHDIR, [6]uintptr{m.text("/proc")}},
		call{unix.SYS_PIVOT_ROOT, [6]uintptr{here, here}})
}

// tryFilter installs a filter that permits everything.
func tryFilter() error { return tryFilterFlags(0) }

// tryListener installs one with a listener (seccomp_unotify(2)). The kernel
// answers EBUSY when a filter above this process already has one.
func tryListener() error { return tryFilterFlags(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER) }

// tryKillableListener installs one whose calls a signal does not interrupt once
// the supervisor has read them (Linux 6.0).
func tryKillableListener() error {
	const waitKillable = 1 << 5 // SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
	return tryFilterFlags(unix.SECCOMP_FILTER_FLAG_NEW_LISTENER | waitKillable)
}

func tryFilterFlags(flags uintptr) error {
	var m memory
	defer m.free()
	return attempt(0,
		call{unix.SYS_PRCTL, [6]uintptr{unix.PR_SET_NO_NEW_PRIVS, 1}},
		call{unix.SYS_SECCOMP, [6]uintptr{unix.SECCOMP_SET_MODE_FILTER, flags, m.permissive()}})
}

// tryPidfdGetfd takes a descriptor by way of a pidfd, from this process itself:
// container runtimes refuse the call altogether.
func tryPidfdGetfd() error {
	self, err := unix.PidfdOpen(unix.Getpid(), 0)
	if err != nil {
		return err
	}
	defer unix.Close(self)
	fd, err := unix.PidfdGetfd(self, self, 0)
	if err != nil {
		return err
	}
	return unix.Close(fd)
}
