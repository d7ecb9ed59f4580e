package seccomp

import "golang.org/x/sys/unix"

// never are the calls that no policy can have, each with its reason. The three
// that fail with ENOSYS are those whose callers fall back to a call that the
// filter can judge; any other errno breaks CPython's threads.
func never(t *table) {
	t.refuseQuietly("its flags are in memory, not in registers; libc falls back to clone", unix.ENOSYS, "clone3")
	t.refuseQuietly("its mode and flags are in memory; callers fall back to openat", unix.ENOSYS, "openat2")
	t.refuseQuietly("its requests pass no filter; callers fall back to ordinary calls", unix.ENOSYS,
		"io_uring_enter", "io_uring_register", "io_uring_setup")
	t.refuse("namespaces are for the sandbox to make", unix.EPERM, "listns", "setns", "unshare")
	t.refuse("the mount tree is sealed", unix.EPERM,
		"chroot", "fsconfig", "fsmount", "fsopen", "fspick", "listmount", "mount", "mount_setattr",
		"move_mount", "open_tree", "open_tree_attr", "pivot_root", "statmount", "umount2")
	t.refuse("opens files past the mount tree", unix.EPERM, "open_by_handle_at")
	t.refuse("reaches into another process", unix.EPERM,
		"kcmp", "pidfd_getfd", "process_madvise", "process_mrelease", "process_vm_readv",
		"process_vm_writev", "ptrace")
	t.refuse("keyrings are shared with the host", unix.EPERM, "add_key", "keyctl", "request_key")
	t.refuse("a large surface of the kernel", unix.EPERM,
		"bpf", "perf_event_open", "uprobe", "uretprobe", "userfaultfd")
	t.refuse("administers the host", unix.EPERM,
		"acct", "adjtimex", "clock_adjtime", "clock_settime", "delete_module", "finit_module",
		"init_module", "ioperm", "iopl", "kexec_file_load", "kexec_load", "lsm_set_self_attr",
		"quotactl", "quotactl_fd", "reboot", "setdomainname", "sethostname", "settimeofday",
		"swapoff", "swapon", "syslog", "vhangup")
}

// quietRefusals are calls that programs make as a matter of course and that have
// a native errno for "not here"; a policy may still allow them.
func quietRefusals(t *table) {
	t.refuseQuietly("attributes stay as they are, as on a file system without them", unix.EOPNOTSUPP,
		"fremovexattr", "fsetxattr", "lremovexattr", "lsetxattr", "removexattr", "removexattrat",
		"setxattr", "setxattrat")
	t.refuseQuietly("groups are root's to change, as they are outside", unix.EPERM, "setgroups")
}
