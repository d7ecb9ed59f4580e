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

#define HOLDER_STACK 4096

/* Lives only so that its namespace can be opened. */
static void hold(void)
{
	for (;;)
		sys0(SYS_pause);
}

/* Clones a holder in a new user namespace and in our memory: a copy of a running
 * Go process would cost a copy of its page tables. Signals stay blocked in it,
 * so that no handler of ours runs there. */
static long clone_holder(void *stack)
{
	struct clone_args args = {
		.flags = CLONE_VM | CLONE_NEWUSER,
		.exit_signal = 0,
		.stack = (uint64_t)stack,
		.stack_size = HOLDER_STACK,
	};
	uint64_t all = ~0ULL, old;
	long pid;

	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &all, &old, sizeof all);
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "xor %%ebp, %%ebp\n\t"
			 "call *%[main]\n\t"
			 "hlt\n\t"
			 "1:"
			 : "=a"(pid)
			 : "a"(SYS_clone3), "D"(&args), "S"(sizeof args), [main] "r"(hold)
			 : "rcx", "r11", "memory");
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
	long stack = sys6(SYS_mmap, 0, HOLDER_STACK, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (stack < 0 && stack > -4096)
		return (int)stack;
	long pid = clone_holder((void *)stack);
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
	sys2(SYS_munmap, stack, HOLDER_STACK);
	return fd;
}
