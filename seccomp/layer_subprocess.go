package seccomp

import "golang.org/x/sys/unix"

// layerSubprocess is fork, subprocess and multiprocessing. What may be executed
// is for mounts and Landlock to say; the supervisor only explains a refusal.
func layerSubprocess() layer {
	return layer{"subprocess", "fork, run other programs and wait for them", join(
		when(allow("a process of its own", "clone"), bitsAre(0, judgedFlags, 0)),
		when(allow("a process that borrows memory until it executes", "clone"),
			bitsAre(0, judgedFlags, unix.CLONE_VM|unix.CLONE_VFORK)),
		allow("a process of its own", "fork", "vfork"),
		trap("the supervisor explains, mounts and Landlock decide", "execveat"),
		allow("children and their groups",
			"pidfd_open", "pidfd_send_signal", "setpgid", "setsid", "wait4", "waitid"),
		oneOf(allow("orphans come to the process that asks for them", "prctl"), 0,
			unix.PR_SET_CHILD_SUBREAPER, unix.PR_GET_CHILD_SUBREAPER),
		allow("without a capability these only permute ids already held",
			"setfsgid", "setfsuid", "setgid", "setregid", "setresgid", "setresuid", "setreuid", "setuid"),
	)}
}
