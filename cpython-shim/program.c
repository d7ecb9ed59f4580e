/* What PID 2 does between its creation and execve. It shares PID 1's memory,
 * so nothing here may write to the stage but the fields meant for it. */
#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include "stage.h"

#define LOWEST_SPARE 64 /* above every number the program is given */

static int move_up(int fd)
{
	return (int)sys3(SYS_fcntl, fd, F_DUPFD_CLOEXEC, LOWEST_SPARE);
}

/* Moves the control socket and what is left of the donated descriptors out of
 * the range that op_stdio and op_pass_fd fill. */
int program_prepare(struct stage *st)
{
	st->program_control = move_up(st->control);
	if (st->program_control < 0)
		return st->program_control;
	for (uint32_t i = 0; i < st->donated_count; i++) {
		if (st->donated[i] < 0)
			continue;
		st->donated[i] = move_up(st->donated[i]);
		if (st->donated[i] < 0)
			return st->donated[i];
	}
	sys1(SYS_umask, st->umask);
	limits_return(); /* behind move_up, which needs high numbers */
	return 0;
}

/* Makes PID 2 the foreground group of the terminal. PID 1 stays the session
 * leader in another group, so that a stopped program is not in an orphaned
 * process group and job control works (setpgid(2), tcsetpgrp(3)). */
static int take_terminal(int terminal)
{
	uint64_t ttou = 1ULL << (SIGTTOU - 1), old;
	int group = (int)sys0(SYS_getpid);
	long err = sys2(SYS_setpgid, 0, 0);
	if (err)
		return (int)err;
	sys4(SYS_rt_sigprocmask, SIG_BLOCK, &ttou, &old, 8);
	err = sys3(SYS_ioctl, terminal, TIOCSPGRP, &group);
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &old, 0, 8);
	return (int)err;
}

int op_stdio(struct stage *st, const struct op *op)
{
	uint64_t index[3] = { op->n1, op->n2, op->n3 };

	for (int i = 0; i < 3; i++) {
		if (index[i] >= st->donated_count)
			return -EBADF;
		int err = (int)sys3(SYS_dup3, st->donated[index[i]], i, 0);
		if (err < 0)
			return err;
	}
	if (!(op->flags & PSB_FLAG_TTY))
		return 0;
	for (int i = 0; i < 3; i++)
		if (sys3(SYS_ioctl, i, TIOCGPGRP, &(int){ 0 }) == 0)
			return take_terminal(i);
	return -ENOTTY;
}

int op_pass_fd(struct stage *st, const struct op *op)
{
	if (op->n1 >= st->donated_count || op->n2 != 3 + (uint64_t)st->passed)
		return -EBADF;
	int err = (int)sys3(SYS_dup3, st->donated[op->n1], op->n2, 0);
	if (err < 0)
		return err;
	st->passed++;
	return 0;
}

/* Leaves the program 0, 1, 2 and what was passed; the control socket moves to
 * the number after those and closes at execve. Before the filter: the program's
 * own rules may not allow these calls. */
static int keep_only_named(struct stage *st)
{
	int control = 3 + (int)st->passed;
	long err = sys3(SYS_dup3, st->program_control, control, O_CLOEXEC);
	if (err < 0)
		return (int)err;
	st->program_control = control;
	return (int)sys3(SYS_close_range, control + 1, ~0U, 0);
}

static void wait_for_release(struct stage *st)
{
	while (!__atomic_load_n(&st->released, __ATOMIC_ACQUIRE))
		sys4(SYS_futex, &st->released, FUTEX_WAIT_PRIVATE, 0, 0);
}

/* Installs the program's filter, tells the supervisor the listener's number,
 * and waits until PID 1 lets go. */
int op_filter(struct stage *st, const struct op *op)
{
	struct sock_fprog prog = {
		.len = (unsigned short)(op->data_len / sizeof(struct sock_filter)),
		.filter = (struct sock_filter *)op->data,
	};
	struct psb_message hello = { .type = PSB_MSG_LISTENER };
	int err = keep_only_named(st);

	if (err)
		return err;
	hello.a = (int)sys3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, op->n1, &prog);
	if (hello.a < 0)
		return hello.a;
	long n = sys3(SYS_write, st->program_control, &hello, sizeof hello);
	if (n < 0)
		return (int)n;
	wait_for_release(st);
	return 0;
}

/* Points vector at count words from p on. Returns what follows them. */
static const char *fill_vector(const char **vector, uint64_t count, const char *p)
{
	for (uint64_t i = 0; i < count; i++, p += text_length(p) + 1)
		vector[i] = p;
	return p; /* the mapping is zeroed, so the vector ends here */
}

/* Executes what GO has brought. */
int op_exec(const struct stage *st)
{
	struct op op;
	int err = plan_count(&st->command) == 1 ? plan_decode(&st->command, 0, &op) : -EBADMSG;
	if (err || op.code != PSB_OP_EXEC)
		return err ? err : -EBADMSG;
	/* Each word has a byte at least, so the two vectors cannot be larger. They are
	 * shared memory, since RLIMIT_DATA is in force and counts private memory. */
	if (op.n1 > op.data_len || op.n2 > op.data_len)
		return -EBADMSG;
	const char **argv = (const char **)sys6(SYS_mmap, 0, (op.n1 + op.n2 + 2) * sizeof *argv,
						PROT_READ | PROT_WRITE,
						MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if ((long)argv < 0 && (long)argv > -4096)
		return (int)(long)argv;
	const char **envp = argv + op.n1 + 1;
	const char *p = fill_vector(argv, op.n1, (const char *)op.data);
	fill_vector(envp, op.n2, p);
	return (int)sys3(SYS_execve, op.s1, argv, envp);
}
