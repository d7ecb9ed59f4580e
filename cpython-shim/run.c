/* The stage's straight line: the fixed setup, the plan's operations, then PID 1
 * turns into the reaper and PID 2 into the program. */
#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>

#include "stage.h"

/* The operations that no plan changes, as namespaces.Skeleton encodes them. */
static const uint8_t skeleton[] __attribute__((aligned(8))) = {
#include "skeleton.h"
};

/* Runs in: PID 1 or PID 2. Reports once and ends this process; when it is PID
 * 2, PID 1 sees it die and ends the sandbox. */
static void fail(int control, int stage, int err, int index)
{
	struct psb_message msg = { .type = PSB_MSG_ERROR, .a = stage, .b = -err, .c = index };
	sys3(SYS_write, control, &msg, sizeof msg);
	stage_exit(125);
}

void stage_fail(struct stage *st, int stage, int err, int index)
{
	fail(st->control, stage, err, index);
	__builtin_unreachable();
}

static int run_op(struct stage *st, const struct op *op)
{
	switch (op->code) {
	case PSB_OP_MKDIR: return op_mkdir(op->s1, (unsigned)op->n1);
	case PSB_OP_FILE: return op_file(op);
	case PSB_OP_SYMLINK: return op_symlink(op);
	case PSB_OP_BIND: return op_bind(st, op);
	case PSB_OP_TMPFS: return op_tmpfs(op);
	case PSB_OP_PROC: return op_proc(st, op);
	case PSB_OP_DEVPTS: return op_devpts(op);
	case PSB_OP_PIVOT: return op_pivot(st);
	case PSB_OP_ROOT_READ_ONLY: return op_root_read_only();
	case PSB_OP_CGROUP_NS: return (int)sys1(SYS_unshare, CLONE_NEWCGROUP);
	case PSB_OP_JOIN_GROUP: return op_join_group(st);
	case PSB_OP_RLIMIT: return op_rlimit(op);
	case PSB_OP_NO_NEW_PRIVS: return op_no_new_privs();
	case PSB_OP_DROP_CAPS: return op_drop_caps();
	case PSB_OP_LANDLOCK: return op_landlock(st, op);
	case PSB_OP_LANDLOCK_PATH: return op_landlock_path(st, op);
	case PSB_OP_LANDLOCK_ENFORCE: return op_landlock_enforce(st);
	case PSB_OP_STDIO: return op_stdio(st, op);
	case PSB_OP_PASS_FD: return op_pass_fd(st, op);
	case PSB_OP_CHDIR: return (int)sys1(SYS_chdir, op->s1);
	case PSB_OP_PROBE: return op_probe(op);
	case PSB_OP_FILTER: return op_filter(st, op);
	case PSB_OP_EXEC: return op_exec(st);
	case PSB_OP_SOCKET: return op_socket(st, op);
	case PSB_OP_LOCAL_ROUTES: return op_local_routes();
	case PSB_OP_RECEIVE_FDS: return op_receive_fds(st, op);
	default: return -ENOSYS; /* PSB_OP_SPAWN is not run here */
	}
}

/* Runs the operations from first up to the end or to PSB_OP_SPAWN, whose index
 * it returns. On an error it reports on control and ends the process. */
static uint32_t run_ops(struct stage *st, uint32_t first, int stage, int *control)
{
	uint32_t count = plan_count(&st->plan);
	for (uint32_t i = first; i < count; i++) {
		struct op op;
		int err = plan_decode(&st->plan, i, &op);
		if (!err && op.code == PSB_OP_SPAWN)
			return i;
		if (!err)
			err = run_op(st, &op);
		if (err)
			fail(*control, op.code == PSB_OP_EXEC ? PSB_STAGE_EXEC : stage, err, (int)i);
	}
	return count;
}

/* Makes the donated terminal the controlling one of PID 1's new session. */
static int take_session_terminal(struct stage *st, uint32_t spawn)
{
	uint32_t count = plan_count(&st->plan);
	for (uint32_t i = spawn; i < count; i++) {
		struct op op;
		int err = plan_decode(&st->plan, i, &op);
		if (err)
			return err;
		if (op.code != PSB_OP_STDIO || !(op.flags & PSB_FLAG_TTY))
			continue;
		st->terminal = true;
		uint64_t index[3] = { op.n1, op.n2, op.n3 };
		for (int k = 0; k < 3; k++)
			if (index[k] < st->donated_count &&
			    sys3(SYS_ioctl, st->donated[index[k]], TIOCSCTTY, 0) == 0)
				return 0;
		return -ENOTTY;
	}
	return 0;
}

/* Runs in: PID 2, on its own stack, in PID 1's memory. */
static void program_main(struct stage *st, uint32_t first)
{
	uint64_t none = 0;

	affinity_return(&st->affinity);
	st->program_control = st->control;
	int err = program_prepare(st);
	if (err)
		fail(st->control, PSB_STAGE_OPERATION, err, (int)first - 1);
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof none);
	run_ops(st, first, PSB_STAGE_OPERATION, &st->program_control);
	fail(st->program_control, PSB_STAGE_EXEC, -ENOEXEC, (int)first);
}

struct program_start {
	struct stage *st;
	uint32_t first;
};

static void start_program(void *start)
{
	const struct program_start *at = start;
	program_main(at->st, at->first);
}

/* Clones PID 2 on our processor: on another it would stand in the supervisor's way. */
static long clone_beside(struct stage *st, struct clone_args *args, struct program_start *start)
{
	affinity_stay(&st->affinity);
	long pid = clone_here(args, start_program, start);
	affinity_return(&st->affinity);
	return pid;
}

/* Clones PID 2 into PID 1's memory but with its own descriptors. Unlike vfork
 * it lets PID 1 go on: PID 1 has to harden itself before the program's first
 * instruction, and no page is copied all the same. Where limits.pids is
 * RLIMIT_NPROC, the detacher can be the one process too many until it has ended. */
static int spawn(struct stage *st, uint32_t first)
{
	static struct program_start start;
	struct clone_args args = { .exit_signal = SIGCHLD };

	start = (struct program_start){ st, first };
	long pid = clone_beside(st, &args, &start);
	if (pid == -EAGAIN && st->detacher) {
		int err = stage_await_detacher(st);
		if (err)
			return err;
		pid = clone_beside(st, &args, &start);
	}
	return (int)pid;
}

static void run_fixed_setup(struct stage *st)
{
	int err = stage_take_identity(st);
	if (err)
		stage_fail(st, PSB_STAGE_IDENTITY, err, -1);
	err = stage_set_names();
	if (err)
		stage_fail(st, PSB_STAGE_IDENTITY, err, -1);
	err = stage_network();
	if (err)
		stage_fail(st, PSB_STAGE_NETWORK, err, -1);
	err = stage_detach_proc(st);
	if (err)
		stage_fail(st, PSB_STAGE_PROC, err, -1);
	err = stage_enter_root(st);
	if (err)
		stage_fail(st, PSB_STAGE_ROOT, err, -1);
	err = plan_use(&st->plan, skeleton, sizeof skeleton);
	if (err)
		stage_fail(st, PSB_STAGE_SKELETON, err, -1);
	run_ops(st, 0, PSB_STAGE_SKELETON, &st->control);
	err = stage_drop_bounding_set();
	if (err)
		stage_fail(st, PSB_STAGE_IDENTITY, err, -1);
	/* Who need not open anything of the host's tree lets it go before the plan is
	 * here. */
	if (st->donor)
		err = op_pivot(st);
	if (err)
		stage_fail(st, PSB_STAGE_ROOT, err, -1);
}

/* Closes everything inherited but the control socket, which becomes number
 * PSB_CONTROL_FD; 0 to 2 stay free so that later descriptors fill them. */
static void take_descriptors(struct stage *st)
{
	struct rlimit limit;

	if (st->control != PSB_CONTROL_FD) {
		sys3(SYS_dup3, st->control, PSB_CONTROL_FD, O_CLOEXEC);
		st->control = PSB_CONTROL_FD;
	}
	sys3(SYS_close_range, PSB_CONTROL_FD + 1, ~0U, 0);
	sys3(SYS_close_range, 0, PSB_CONTROL_FD - 1, 0);
	if (!sys4(SYS_prlimit64, 0, RLIMIT_NOFILE, 0, &limit)) {
		limit.rlim_cur = limit.rlim_max;
		sys4(SYS_prlimit64, 0, RLIMIT_NOFILE, &limit, 0);
	}
}

/* Lets children be waited for, also where the caller ignores SIGCHLD
 * (sigaction(2), notes). */
static void expect_children(void)
{
	const uint64_t by_default[4] = { 0 }; /* struct kernel_sigaction */
	sys4(SYS_rt_sigaction, SIGCHLD, by_default, 0, sizeof(uint64_t));
}

void stage_main(struct stage *st)
{
	uint64_t all = ~0ULL;

	take_descriptors(st);
	stage_expect_stdio(st);
	sys4(SYS_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof all);
	expect_children();
	sys0(SYS_setsid);
	st->umask = (unsigned)sys1(SYS_umask, 022); /* one like 0777 would shut the tree */
	run_fixed_setup(st);
	int err = stage_receive_plan(st);
	if (err)
		stage_fail(st, PSB_STAGE_RECEIVE, err, -1);
	uint32_t at = run_ops(st, 0, PSB_STAGE_OPERATION, &st->control);
	err = stage_receive_stdio(st);
	if (err)
		stage_fail(st, PSB_STAGE_RECEIVE, err, -1);
	err = take_session_terminal(st, at);
	if (!err)
		err = st->program = spawn(st, at + 1);
	if (err < 0)
		stage_fail(st, PSB_STAGE_OPERATION, err, (int)at);
	stage_reap(st);
}
