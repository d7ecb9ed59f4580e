package seccomp

import "golang.org/x/sys/unix"

// layerNumpy is memory placement, which OpenBLAS and other numeric libraries try
// and can do without.
func layerNumpy() layer {
	return layer{"numpy", "place memory on NUMA nodes", join(
		allow("placement of its own memory",
			"get_mempolicy", "mbind", "set_mempolicy", "set_mempolicy_home_node"),
	)}
}

// layerSysV is System V IPC and POSIX message queues. They are counted per IPC
// namespace, which every sandbox has of its own.
func layerSysV() layer {
	return layer{"sysv", "System V IPC and POSIX message queues", join(
		allow("shared memory", "shmat", "shmctl", "shmdt", "shmget"),
		allow("semaphores", "semctl", "semget", "semop", "semtimedop"),
		allow("message queues",
			"mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink",
			"msgctl", "msgget", "msgrcv", "msgsnd"),
	)}
}

// layerConfine is for programs that confine themselves further. A filter of
// theirs can only take away; a listener of theirs is refused.
func layerConfine() layer {
	return layer{"confine", "Landlock and seccomp filters of the program's own", join(
		allow("rules of the program's own",
			"landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self"),
		when(allow("what the kernel offers", "seccomp"), intIs(0, unix.SECCOMP_GET_ACTION_AVAIL)),
		when(allow("a filter without a listener", "seccomp"),
			intIs(0, unix.SECCOMP_SET_MODE_FILTER), noneOf(1, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER)),
	)}
}
