/* The constructor: runs before the Go runtime.
 *
 * `pysandbox exec ...`       clones the sandbox at once, so that its fixed setup
 *                            runs while Go starts and compiles the plan.
 * argv[0] = PSB_STAGE_NAME   this process is the stage of a supervisor that was
 *                            running already; it becomes PID 1's parent and ends.
 * anything else              only sees to the caller's limits (limits.c) and to
 *                            what Go would read of its environment
 *                            (environment.c). */
#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "begin.h"
#include "stage.h"

#define PSB_STAGE_NAME "pysandbox-stage"

struct psb_begun psb_begun;

/* No CLONE_NEWNET: the child makes it, in parallel. No CLONE_NEWCGROUP: the
 * child makes it after the supervisor has moved it. */
#define NAMESPACES (CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWIPC | CLONE_NEWUTS)

static int fail_begin(int step, int err)
{
	psb_begun.step = step;
	psb_begun.error = err;
	return -1;
}

/* Runs in: the new PID 1. */
static void run_stage(int control, uint32_t uid, uint32_t gid, bool donor)
{
	struct stage st = {
		.control = control,
		.host_uid = uid,
		.host_gid = gid,
		.donor = donor,
		.old_root = -1,
		.proc = -1,
		.ruleset = -1,
	};
	stage_main(&st);
}

static int argument_count;
static char **arguments;

/* /proc/1/cmdline shows this memory and the guest may read it, while the
 * caller's flags name files of the host. Runs in: the new PID 1, on its own
 * copy. */
static void hide_arguments(void)
{
	static const char name[] = "sandbox";
	size_t room = argument_count > 0 ? strlen(arguments[0]) + 1 : 0;

	for (int i = 0; i < argument_count; i++)
		memset(arguments[i], 0, strlen(arguments[i]));
	if (room >= sizeof name)
		memcpy(arguments[0], name, sizeof name);
}

void begin_refused(const char *reason)
{
	refusal_report(argument_count, arguments, reason);
}

/* Clones PID 1. donor: see struct stage. Returns its pid, or -errno. */
static long clone_stage(int control, uint32_t uid, uint32_t gid, bool donor, unsigned long extra,
			int *pidfd)
{
	struct clone_args args = {
		.flags = NAMESPACES | CLONE_PIDFD | extra,
		.pidfd = (uint64_t)pidfd,
		.exit_signal = extra & CLONE_PARENT ? 0 : SIGCHLD,
	};
	long pid = sys2(SYS_clone3, &args, sizeof args);
	if (pid > 0)
		affinity_part(pid);
	if (pid)
		return pid;
	hide_arguments();
	run_stage(control, uid, gid, donor);
	return 0;
}

/* Runs in: root's supervisor, before Go. The new user namespace must belong to
 * the leased uid, so that is what clone(2) sees as the effective one. Raw calls:
 * the process has one thread. */
static int borrow_credentials(uint32_t id)
{
	int err = (int)sys2(SYS_setgroups, 0, 0);
	if (!err)
		err = (int)sys3(SYS_setresgid, id, id, 0);
	if (!err)
		err = (int)sys3(SYS_setresuid, id, id, 0);
	return -err;
}

/* Root again, but for the groups, which the supervisor would give up later: with
 * one thread that takes one call, and then a signal to each thread. */
static int return_credentials(void)
{
	uint32_t groups[] = { PSB_LEASE_GROUP };
	int err = (int)sys3(SYS_setresuid, 0, 0, 0);
	if (!err)
		err = (int)sys3(SYS_setresgid, 0, 0, 0);
	if (!err)
		err = (int)sys2(SYS_setgroups, 1, groups);
	return -err;
}

static int begin_as_root(int control)
{
	psb_begun.lease = lease_take(PSB_LEASE_FIRST, PSB_LEASE_COUNT, &psb_begun.uid);
	if (psb_begun.lease < 0)
		return fail_begin(PSB_BEGIN_LEASE, -psb_begun.lease);
	psb_begun.gid = psb_begun.uid;
	int err = borrow_credentials(psb_begun.uid);
	if (err)
		return fail_begin(PSB_BEGIN_CREDENTIALS, err);
	long pid = clone_stage(control, psb_begun.uid, psb_begun.gid, true, 0, &psb_begun.pidfd);
	err = return_credentials();
	if (err) {
		kill((pid_t)pid, SIGKILL);
		return fail_begin(PSB_BEGIN_CREDENTIALS, err);
	}
	if (pid < 0)
		return fail_begin(PSB_BEGIN_CLONE, (int)-pid);
	psb_begun.pid = (int)pid;
	return 0;
}

static int begin_as_user(int control)
{
	psb_begun.uid = getuid();
	psb_begun.gid = getgid();
	long pid = clone_stage(control, psb_begun.uid, psb_begun.gid, false, 0, &psb_begun.pidfd);
	if (pid < 0)
		return fail_begin(PSB_BEGIN_CLONE, (int)-pid);
	psb_begun.pid = (int)pid;
	return 0;
}

/* Fills the numbers 0 to 2 that the caller has closed: whatever is opened next would
 * get them, and be taken for the caller's standard input or output. */
static int fill_standard_numbers(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return errno ? errno : EBADF;
	return 0;
}

static void begin_exec(void)
{
	int pair[2], on = 1;

	psb_begun.attempted = 1;
	psb_begun.lease = psb_begun.pidfd = psb_begun.control = -1;
	int err = fill_standard_numbers();
	if (err) {
		fail_begin(PSB_BEGIN_STANDARD, err);
		return;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair)) {
		fail_begin(PSB_BEGIN_SOCKET, errno);
		return;
	}
	psb_begun.control = pair[0];
	/* Before the stage can say anything: the kernel names senders from then on. */
	setsockopt(pair[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof on);
	err = geteuid() == 0 ? begin_as_root(pair[1]) : begin_as_user(pair[1]);
	close(pair[1]);
	if (!err)
		recall_plan(argument_count, arguments, psb_begun.uid);
}

/* Runs in: a process that the supervisor spawned with the control socket at
 * PSB_CONTROL_FD. argv: name, uid, gid. PID 1 becomes the supervisor's child
 * (CLONE_PARENT), who learns its pid from the credentials of READY. */
static void begin_stage(char **argv)
{
	uint32_t uid, gid;
	int pidfd;

	if (!argv[1] || !argv[2] || text_parse(argv[1], &uid) || text_parse(argv[2], &gid))
		stage_exit(125);
	bool donor = geteuid() == 0 && uid != 0;
	if (donor) {
		int err = (int)sys2(SYS_setgroups, 0, 0);
		if (!err)
			err = (int)sys3(SYS_setresgid, gid, gid, gid);
		if (!err)
			err = (int)sys3(SYS_setresuid, uid, uid, uid);
		if (err)
			stage_exit(125);
	}
	long pid = clone_stage(PSB_CONTROL_FD, uid, gid, donor, CLONE_PARENT, &pidfd);
	struct psb_message msg = {
		.type = pid < 0 ? PSB_MSG_ERROR : PSB_MSG_READY,
		.a = pid < 0 ? PSB_STAGE_CLONE : (int32_t)pid,
		.b = pid < 0 ? (int32_t)-pid : 0,
	};
	sys3(SYS_write, PSB_CONTROL_FD, &msg, sizeof msg);
	stage_exit(pid < 0 ? 125 : 0);
}

/* Go's monitor thread wakes up every 20 us for some milliseconds after the process
 * was idle, each time in the way of a call that the supervisor answers. Its sleeps
 * may end late: every thread that Go makes inherits the slack (PR_SET_TIMERSLACK(2const),
 * 50 us without it). The sandbox is a process of its own by now and keeps the usual
 * one. */
static void quiet_timers(void)
{
	const unsigned long slack = 1000000; /* ns */

	prctl(PR_SET_TIMERSLACK, slack);
}

__attribute__((constructor)) static void begin(int argc, char **argv, char **envp)
{
	argument_count = argc;
	arguments = argv;
	if (argc >= 3 && !strcmp(argv[0], PSB_STAGE_NAME))
		begin_stage(argv);
	limits_raise();
	environment_set_aside(envp);
	if (argc >= 2 && !strcmp(argv[1], "exec")) {
		begin_exec();
		mallopt(M_ARENA_MAX, 1); /* Go's threads hardly use malloc: no arena for each */
		quiet_timers();
		processors_lend(envp);
	}
}
