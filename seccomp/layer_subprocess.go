package seccomp

import "golang.org/x/sys/unix"

// layerSubprocess is fork, subprocess and multiprocessing. What may be executed
// is for mounts and Landlock to say; the supervisor only explains a refusal.
func layerSubprocess(t *table) {
	t.allowIf("a process of its own", "clone", bitsAre(0, judgedFlags, 0))
	t.allowIf("a process that borrows memory until it executes", "clone",
		bitsAre(0, judgedFlags, unix.CLONE_VM|unix.CLONE_VFORK))
	t.allow("a process of its own", "fork", "vfork")
	t.trap("the supervisor explains, mounts and Landlock decide", "execveat")
	t.allow("children and their groups",
		"pidfd_open", "pidfd_send_signal", "setpgid", "setsid", "wait4", "waitid")
	t.allowEach("orphans come to the process that asks for them", "prctl", 0,
		unix.PR_SET_CHILD_SUBREAPER, unix.PR_GET_CHILD_SUBREAPER)
	t.allow("without a capability these change nothing, and never fail", "setfsgid", "setfsuid")
	for _, call := range []string{"setgid", "setuid"} {
		ownIDs(t, "the id that a process has already", call, 0)
	}
	for _, call := range []string{"setregid", "setreuid"} {
		ownIDs(t, "the ids that a process has already", call, 0, 1)
	}
	for _, call := range []string{"setresgid", "setresuid"} {
		ownIDs(t, "the ids that a process has already", call, 0, 1, 2)
	}
}
