/* Leaving the host's tree.
 *
 * umount(2) takes the tree out of the namespace at once, but returns only after an
 * RCU grace period, often a millisecond. A process of its own waits for that. */
#include <errno.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

#include "stage.h"

#define HOST_TREE "/.host"

/* A process id that the sandbox has no use for, so that the program gets 2. */
#define DETACHER_PID 300

/* Runs in: a process beside PID 1, in its memory and with its capabilities. */
static void detach(void *none)
{
	(void)none;
	stage_exit(sys2(SYS_umount2, HOST_TREE, MNT_DETACH) ? 1 : 0);
}

/* Notes how the detacher ended. */
int stage_detached(struct stage *st, int status)
{
	st->detacher = 0;
	return status ? -EBUSY : 0;
}

/* Waits for the end of the detacher, which has PID 1's capabilities. */
int stage_await_detacher(struct stage *st)
{
	int status = 0;
	long pid;

	if (!st->detacher)
		return 0;
	do
		pid = sys4(SYS_wait4, st->detacher, &status, __WALL, 0);
	while (pid == -EINTR);
	return pid < 0 ? (int)pid : stage_detached(st, status);
}

/* Removes the mount point, which is busy until the tree is out of the namespace.
 * The detacher has to have the processor for that: on a busy machine this waits for
 * its end. */
static int remove_mount_point(struct stage *st)
{
	for (int tries = 0; tries < 1000; tries++) {
		long err = sys1(SYS_rmdir, HOST_TREE);
		if (err != -EBUSY)
			return (int)err;
		sys0(SYS_sched_yield);
	}
	int err = stage_await_detacher(st);
	return err ? err : (int)sys1(SYS_rmdir, HOST_TREE);
}

/* Lets the host's tree go. No source can be opened after this. Does nothing the
 * second time. */
int op_pivot(struct stage *st)
{
	uint64_t pid = DETACHER_PID;
	struct clone_args args = { .set_tid = (uint64_t)&pid, .set_tid_size = 1 };

	if (st->old_root < 0)
		return 0;
	sys1(SYS_close, st->old_root);
	st->old_root = -1;
	st->detacher = (int)clone_here(&args, detach, 0);
	if (st->detacher < 0)
		return st->detacher;
	return remove_mount_point(st);
}
