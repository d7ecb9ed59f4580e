package attacks

import (
	"testing"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/supervisor"
)

func TestSystemCalls(t *testing.T) { runAttacks(t, systemCalls()) }

// systemCalls are attacks on the filter: other ways to enter the kernel, other
// spellings of arguments, and calls that do too much.
func systemCalls() []attack {
	killed := []supervisor.Outcome{supervisor.Violated}
	return []attack{
		{program: "abi_int80", set: canaryOutside, ends: killed},
		{program: "abi_x32", set: canaryOutside, ends: killed},
		{program: "abi_unknown", control: withoutControl("no kernel has these calls")},
		{program: "abi_io_uring", set: canaryOutside, flags: []string{"--preset=http-only"}},
		{
			program: "abi_high_bits", hows: []string{"netlink", "mptcp", "sendto", "connect", "clone"},
			set: canaryOrWords, flags: []string{"--preset=http-only"},
		},
		{
			program: "abi_namespaces",
			hows: []string{
				"clone user", "clone net", "clone mnt", "clone pid", "clone uts", "clone ipc", "clone cgroup",
				"clone3 user", "clone3 net", "clone3 time", "unshare user", "unshare net", "unshare mnt",
				"unshare pid", "unshare time", "setns net", "setns mnt", "setns uts",
			},
			control: alone(),
		},
		{
			program: "abi_threads",
			hows: []string{
				"process with our memory", "process with our memory and descriptors",
				"thread with its own descriptors", "child of our parent", "traced child",
			},
			denied: "^clone ",
		},
		{
			program: "abi_calls",
			hows: []string{
				"openat2", "pidfd_getfd", "process_vm_readv", "process_vm_writev", "ptrace", "userfaultfd",
				"memfd_create", "memfd_create exec", "kcmp", "personality", "modify_ldt", "io_setup", "vmsplice",
				"move_pages", "shmget", "mq_open", "dumpable", "add_key", "keyctl", "request_key",
			},
		},
		{
			program: "abi_calls", name: "abi_calls_of_root",
			hows: []string{
				"open_by_handle_at", "fsopen", "open_tree", "mount", "remount", "umount", "mount_setattr", "chroot",
				"process_madvise", "bpf", "perf_event_open", "syslog", "sethostname", "setdomainname", "iopl",
				"ioperm", "fanotify_init", "securebits",
			},
			control: control{root: true, namespaces: unix.CLONE_NEWNS | unix.CLONE_NEWUTS},
		},
	}
}

// canaryOrWords has both effects: the canary's, and what the program says.
func canaryOrWords(t *testing.T, who account, how string) *scene {
	t.Helper()
	s := canaryOutside(t, who, how)
	reached := s.happened
	s.happened = func(run ended) bool { return reached(run) || saidEffect(run) }
	return s
}
