package seccomp

import "golang.org/x/sys/unix"

// layerNumpy is memory placement, which OpenBLAS and other numeric libraries try
// and can do without.
func layerNumpy(t *table) {
	t.allow("placement of its own memory", "get_mempolicy", "set_mempolicy")
	t.refuseQuietly("policies of a shared mapping stay with its file, in memory that no control group counts", unix.EPERM, "mbind")
}

// layerSysV is System V IPC and POSIX message queues. They are counted per IPC
// namespace, which every sandbox has of its own.
func layerSysV(t *table) {
	t.allow("shared memory", "shmat", "shmctl", "shmdt", "shmget")
	t.allow("semaphores", "semctl", "semget", "semop", "semtimedop")
	t.allow("message queues",
		"mq_getsetattr", "mq_notify", "mq_open", "mq_timedreceive", "mq_timedsend", "mq_unlink",
		"msgctl", "msgget", "msgrcv", "msgsnd")
}

// layerConfine is for programs that confine themselves further. A filter of
// theirs can only take away; a listener of theirs is refused.
func layerConfine(t *table) {
	t.allow("rules of the program's own",
		"landlock_add_rule", "landlock_create_ruleset", "landlock_restrict_self")
	t.allowIf("what the kernel offers", "seccomp", intIs(0, unix.SECCOMP_GET_ACTION_AVAIL))
	t.allowIf("a filter without a listener", "seccomp",
		intIs(0, unix.SECCOMP_SET_MODE_FILTER), noneOf(1, unix.SECCOMP_FILTER_FLAG_NEW_LISTENER))
}
