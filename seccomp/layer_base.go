package seccomp

import "golang.org/x/sys/unix"

// layerBase is what every CPython needs to start, compute, read files and keep
// time; it opens no way out of the process but open files and signals.
func layerBase(t *table) {
	t.allow("memory of the process itself",
		"brk", "madvise", "map_shadow_stack", "membarrier", "mincore", "mlock", "mlock2", "mlockall",
		"mprotect", "mremap", "mseal", "msync", "munlock", "munlockall", "munmap", "pkey_alloc",
		"pkey_free", "pkey_mprotect")
	t.allow("life and state of a thread",
		"arch_prctl", "exit", "exit_group", "get_robust_list", "restart_syscall", "rseq",
		"rseq_slice_yield", "set_robust_list", "set_tid_address")
	t.allow("locks between threads",
		"futex", "futex_requeue", "futex_wait", "futex_waitv", "futex_wake")
	t.allow("who and where the process is",
		"capget", "getcpu", "getcwd", "getegid", "geteuid", "getgid", "getgroups", "getpgid", "getpgrp",
		"getpid", "getppid", "getresgid", "getresuid", "getsid", "gettid", "getuid", "sysinfo", "uname")
	t.allow("a process holds no capability, so it can only give up what it lacks", "capset")
	t.allow("its own pace, within its rights",
		"getpriority", "ioprio_get", "sched_get_priority_max", "sched_get_priority_min",
		"sched_getaffinity", "sched_getattr", "sched_getparam", "sched_getscheduler",
		"sched_rr_get_interval", "sched_setaffinity", "sched_setscheduler", "sched_yield", "setpriority")
	t.allow("limits can be read, and lowered for itself", "getrlimit", "getrusage", "setrlimit", "times")
	t.allow("signals; only processes of the sandbox have an id in it",
		"kill", "pause", "rt_sigaction", "rt_sigpending", "rt_sigprocmask", "rt_sigreturn",
		"rt_sigqueueinfo", "rt_sigsuspend", "rt_sigtimedwait", "rt_tgsigqueueinfo", "sigaltstack", "signalfd", "signalfd4", "tgkill", "tkill")
	t.allow("time",
		"alarm", "clock_getres", "clock_gettime", "clock_nanosleep", "getitimer", "gettimeofday",
		"nanosleep", "setitimer", "time", "timer_create", "timer_delete", "timer_getoverrun",
		"timer_gettime", "timer_settime", "timerfd_create", "timerfd_gettime", "timerfd_settime")
	t.allow("random numbers", "getrandom")
	t.allow("what is at a path; mounts and Landlock decide which paths exist",
		"access", "chdir", "faccessat", "faccessat2", "fchdir", "fstat", "fstatfs", "getdents",
		"getdents64", "lstat", "newfstatat", "readlink", "readlinkat", "stat", "statfs", "statx")
	t.allow("open files",
		"close", "dup", "dup2", "dup3", "fadvise64", "fcntl", "lseek", "pread64",
		"preadv", "preadv2", "pwrite64", "pwritev", "pwritev2", "read", "readahead", "readv",
		"sendfile", "splice", "umask", "write", "writev")
	t.allow("pipes, events and waiting for them",
		"epoll_create", "epoll_create1", "epoll_ctl", "epoll_pwait", "epoll_pwait2", "epoll_wait",
		"eventfd", "eventfd2", "pipe", "pipe2", "poll", "ppoll", "pselect6", "select")
	t.allow("changes of visible files",
		"inotify_add_watch", "inotify_init", "inotify_init1", "inotify_rm_watch")
	t.trap("the first starts the program; then the supervisor explains, mounts and Landlock decide", "execve")
	baseByArguments(t)
	deviceRequests(t)
	processOptions(t)
}

// setDelegation is F_SETDELEG of Linux 6.19, a lease on directories too (fcntl.h). It
// differs from F_SETLEASE in one bit, so one condition has both.
const setDelegation = unix.F_SETLEASE + 16

// baseByArguments are the calls of base that registers narrow, but for ioctl and
// prctl.
func baseByArguments(t *table) {
	t.allowIf("open without making a file", "open", noneOf(1, makesFile))
	t.allowIf("open without making a file", "openat", noneOf(2, makesFile))
	withoutSetID(t, "open", 2)
	withoutSetID(t, "openat", 3)

	t.allowIf("closing descriptors of the whole process", "close_range", noneOf(2, unix.CLOSE_RANGE_UNSHARE))
	t.refuse("descriptors that one thread alone has", unix.EPERM, "close_range")
	t.refuseIf("a lease or delegation of what is visible would hold up the host", unix.EACCES, "fcntl",
		bitsAre(1, intMask&^(setDelegation^unix.F_SETLEASE), unix.F_SETLEASE))

	t.allowIf("map memory", "mmap", noneOf(3, unix.MAP_HUGETLB))
	t.refuseQuietly("huge pages are outside the memory limit", unix.ENOMEM, "mmap")

	t.allowIf("memory files that can never be executed", "memfd_create",
		bitsAre(1, unix.MFD_NOEXEC_SEAL|unix.MFD_EXEC|unix.MFD_HUGETLB, unix.MFD_NOEXEC_SEAL))
	// Of the errnos it is the only one for which wasmtime and its like do without.
	t.refuse("a memory file could be executed; MFD_NOEXEC_SEAL makes one that cannot", unix.ENOSYS, "memfd_create")

	t.refuseIf("PID 1 is not the program's", unix.EPERM, "sched_setaffinity", intIs(0, 1))
	// Without a priority, which the plan's RLIMIT_RTPRIO withholds, no policy goes before
	// others. A thread names itself by its number: pthread_setschedparam(3).
	t.refuseIf("PID 1 is not the program's", unix.EPERM, "sched_setscheduler", intIs(0, 1))
	for _, policy := range []uint32{unix.SCHED_FIFO, unix.SCHED_RR, unix.SCHED_DEADLINE} {
		t.refuseIf("a pace before others", unix.EPERM, "sched_setscheduler", bitsAre(1, intMask&^unix.SCHED_RESET_ON_FORK, policy))
	}
	t.refuseIf("PID 1 is not the program's", unix.EPERM, "setpriority", intIs(0, unix.PRIO_PROCESS), intIs(1, 1))
	t.refuseIf("PID 1 is of the program's group", unix.EPERM, "setpriority", intIs(0, unix.PRIO_PGRP))
	t.refuseIf("PID 1 is of the program's user", unix.EPERM, "setpriority", intIs(0, unix.PRIO_USER))

	t.allowIf("limits can be read", "prlimit64", isNull(2))
	t.allowIf("limits can be lowered for itself", "prlimit64", intIs(0, 0))
	t.refuse("limits of another process", unix.EPERM, "prlimit64")
}

// processOptions are the prctl(2) options of CPython, libc and the loader.
func processOptions(t *table) {
	t.allowEach("names, death signal and harmless facts", "prctl", 0,
		unix.PR_SET_PDEATHSIG, unix.PR_GET_PDEATHSIG, unix.PR_GET_DUMPABLE, unix.PR_SET_NAME,
		unix.PR_GET_NAME, unix.PR_GET_SECCOMP, unix.PR_CAPBSET_READ, unix.PR_SET_TIMERSLACK,
		unix.PR_GET_TIMERSLACK, unix.PR_SET_NO_NEW_PRIVS, unix.PR_GET_NO_NEW_PRIVS, unix.PR_SET_VMA)
	t.refuse("an option of the process that no interpreter needs", unix.EINVAL, "prctl")
}
