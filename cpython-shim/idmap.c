/* A user namespace that exists only to describe an idmapped mount
 * (mount_setattr(2), MOUNT_ATTR_IDMAP). */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "begin.h"
#include "stage.h"

/* Lives only so that its namespace can be opened. */
static void hold(void *none)
{
	(void)none;
	for (;;)
		sys0(SYS_pause);
}

/* Clones a holder in a new user namespace and in our memory: a copy of a running
 * Go process would cost a copy of its page tables. Signals stay blocked in it,
 * so that no handler of ours runs there. */
static long clone_holder(struct clone_args *args)
{
	uint64_t all = ~0ULL, old;

	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
	long pid = clone_here(args, hold, 0);
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &old, 0, sizeof old);
	return pid;
}

static int write_id_map(long pid, const char *name, uint32_t from, uint32_t to)
{
	char path[64], line[48], *p;

	p = text_copy(path, "/proc/");
	p = text_number(p, (uint64_t)pid);
	text_copy(p, name);
	p = text_number(line, from);
	*p++ = ' ';
	p = text_copy(text_number(p, to), " 1\n");
	int fd = (int)sys3(SYS_open, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	long n = sys3(SYS_write, fd, line, p - line);
	sys1(SYS_close, fd);
	return n < 0 ? (int)n : 0;
}

static int open_namespace(long pid)
{
	char path[64];
	text_copy(text_number(text_copy(path, "/proc/"), (uint64_t)pid), "/ns/user");
	return (int)sys3(SYS_open, path, O_RDONLY | O_CLOEXEC, 0);
}

/* Returns a descriptor of a user namespace in which files of uid:gid on disk
 * belong to host uid and gid id, or -errno. Needs CAP_SETUID and CAP_SETGID. */
int idmap_namespace(uint32_t uid, uint32_t gid, uint32_t id)
{
	struct clone_args args = { .flags = CLONE_NEWUSER };
	long pid = clone_holder(&args);
	int fd = (int)pid;
	if (pid > 0) {
		fd = write_id_map(pid, "/uid_map", uid, id);
		if (!fd)
			fd = write_id_map(pid, "/gid_map", gid, id);
		if (!fd)
			fd = open_namespace(pid);
		sys2(SYS_kill, pid, SIGKILL);
		while (sys4(SYS_wait4, pid, 0, __WALL, 0) == -EINTR)
			;
	}
	if (args.stack)
		sys2(SYS_munmap, args.stack, args.stack_size);
	return fd;
}
