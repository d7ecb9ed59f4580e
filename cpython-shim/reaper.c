/* PID 1 after the setup: waits, reports, and takes the tree with it. It holds
 * no capability, runs under its own small filter, and is not dumpable. */
#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/futex.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <time.h>

#include "stage.h"

#define ALLOW(nr)                                                                \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (nr), 0, 1),                         \
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW)

/* All that PID 1 still does. */
static int install_filter(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, arch)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		ALLOW(SYS_poll),
		ALLOW(SYS_sched_yield),
		ALLOW(SYS_wait4),
		ALLOW(SYS_kill), /* see stop_or_continue */
		ALLOW(SYS_clock_gettime), /* of the program, see cpu_counted */
		ALLOW(SYS_waitid),
		ALLOW(SYS_read),
		ALLOW(SYS_recvmsg), /* for receive_command, as the next two */
		ALLOW(SYS_fstat),
		ALLOW(SYS_mmap),
		ALLOW(SYS_write),
		ALLOW(SYS_statfs),
		ALLOW(SYS_socket),  /* for the supervisor, see receive_command */
		ALLOW(SYS_sendmsg),
		ALLOW(SYS_close),
		ALLOW(SYS_futex),
		ALLOW(SYS_restart_syscall), /* poll, after a stop */
		ALLOW(SYS_exit_group),
		ALLOW(SYS_prctl), /* for harden */
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_KILL_PROCESS),
	};
	struct sock_fprog prog = { sizeof code / sizeof code[0], code };
	return (int)sys3(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog);
}

/* What is known of the program's end. */
struct ending {
	bool done;
	int status;
	int cpu_counted; /* CPU time at which SIGXCPU came, ms; 0: another end */
	uint64_t utime_us, stime_us, maxrss_kib;
};

static uint64_t microseconds(const struct timeval *tv)
{
	return (uint64_t)tv->tv_sec * 1000000 + (uint64_t)tv->tv_usec;
}

static void add_usage(struct ending *end, const struct rusage *use)
{
	end->utime_us += microseconds(&use->ru_utime);
	end->stime_us += microseconds(&use->ru_stime);
	if ((uint64_t)use->ru_maxrss > end->maxrss_kib)
		end->maxrss_kib = (uint64_t)use->ru_maxrss;
}

static void send_stopped(struct stage *st, int signal)
{
	struct psb_message msg = { .type = PSB_MSG_STOPPED, .a = signal };
	sys3(SYS_write, st->control, &msg, sizeof msg);
}

/* The CPU time of the program that SIGXCPU ended, as the kernel holds it against
 * RLIMIT_CPU: in timer ticks, which rusage does not tell, as it is put right by the
 * scheduler's clock (cputime_adjust in kernel/sched/cputime.c). Less than the limit
 * means that the signal is the program's own doing. A process has its clock until it
 * is waited for. */
static int cpu_counted(const struct stage *st, const siginfo_t *info)
{
	/* clock_getcpuclockid(3) makes the one of CPUCLOCK_SCHED (2); CPUCLOCK_PROF is 0. */
	const long clock = (long)((unsigned long)~info->si_pid << 3);
	struct timespec time;

	if (info->si_pid != st->program || info->si_status != SIGXCPU ||
	    (info->si_code != CLD_KILLED && info->si_code != CLD_DUMPED))
		return 0;
	if (sys2(SYS_clock_gettime, clock, &time) || time.tv_sec >= INT32_MAX / 1000)
		return 0;
	return (int)(time.tv_sec * 1000 + time.tv_nsec / 1000000);
}

/* With the program the whole sandbox stops, and goes on: the supervisor is about to
 * stop itself, and would keep no limit of what ran on. */
static void stop_or_continue(struct stage *st, int status)
{
	if (WIFCONTINUED(status)) {
		sys2(SYS_kill, -1, SIGCONT);
		return;
	}
	sys2(SYS_kill, -1, SIGSTOP);
	send_stopped(st, WSTOPSIG(status));
}

/* Reaps all that is ready. */
static void reap(struct stage *st, struct ending *end)
{
	int stops = st->terminal ? WUNTRACED | WCONTINUED : 0;
	for (;;) {
		siginfo_t info = { .si_pid = 0 };
		struct rusage use;
		int status;
		sys5(SYS_waitid, P_ALL, 0, &info, WEXITED | stops | WNOHANG | WNOWAIT | __WALL, 0);
		if (info.si_pid <= 0)
			return;
		end->cpu_counted = cpu_counted(st, &info);
		int pid = (int)sys4(SYS_wait4, info.si_pid, &status, WNOHANG | __WALL | stops, &use);
		if (pid <= 0)
			return;
		if (WIFSTOPPED(status) || WIFCONTINUED(status)) {
			if (pid == st->program)
				stop_or_continue(st, status);
			continue;
		}
		if (pid == st->detacher) { /* before the word to go */
			int err = stage_detached(st, status);
			if (err)
				stage_fail(st, PSB_STAGE_OPERATION, err, -1);
			continue;
		}
		add_usage(end, &use);
		if (pid == st->program) {
			end->done = true;
			end->status = status;
			return;
		}
	}
}

static void report(struct stage *st, const struct ending *end)
{
	struct psb_message msg = {
		.type = PSB_MSG_STATUS,
		.a = end->status,
		.c = end->cpu_counted,
		.utime_us = end->utime_us,
		.stime_us = end->stime_us,
		.maxrss_kib = end->maxrss_kib,
	};
	struct statfs fs;
	siginfo_t info;

	/* Children of the program became ours when it ended; ECHILD: it had none. */
	if (sys5(SYS_waitid, P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL, 0) == 0)
		msg.b = 1;
	if (sys2(SYS_statfs, "/tmp", &fs) == 0 && fs.f_blocks && !fs.f_bavail)
		msg.flags |= PSB_STATUS_TMP_FULL;
	sys3(SYS_write, st->control, &msg, sizeof msg);
}

/* Lets the program run once the supervisor says so; an early end of PID 2 or of
 * the supervisor ends the sandbox. Nothing but GO comes this way. */
static void release(struct stage *st)
{
	__atomic_store_n(&st->released, 1, __ATOMIC_RELEASE);
	sys3(SYS_futex, &st->released, FUTEX_WAKE_PRIVATE, 1);
}

/* Closes PID 1 to the program. Not earlier: PID 2 shares this memory until its
 * execve, and the supervisor takes the listener from it, for which it must be
 * dumpable. */
static int harden(void)
{
	return (int)sys5(SYS_prctl, PR_SET_DUMPABLE, 0, 0, 0, 0);
}

/* One message from the supervisor: GO once; SOCKET, for a published port, where
 * PID 1 is the only process of the supervisor's in the sandbox's network; at the
 * end an end of file. */
static void receive_command(struct stage *st)
{
	struct psb_message msg;
	int type = stage_receive(st, &msg);
	int err = -EBADMSG;

	if (type <= 0)
		stage_exit(125);
	if (type == PSB_MSG_GO && !st->released) {
		err = plan_map(st, &st->command);
		if (!err)
			err = stage_await_detacher(st);
		if (!err)
			err = harden();
		if (!err)
			release(st);
	} else if (type == PSB_MSG_SOCKET && st->released) {
		const struct op op = { .n1 = (uint64_t)msg.a, .n2 = (uint64_t)msg.b };
		err = op_socket(st, &op);
	}
	if (err)
		stage_fail(st, PSB_STAGE_OPERATION, err, -1);
}

/* SIGCHLD is blocked and read from a signalfd, so that one poll waits for both
 * the children and the supervisor. */
static int open_signals(void)
{
	uint64_t mask = 1ULL << (SIGCHLD - 1);
	return (int)sys4(SYS_signalfd4, -1, &mask, sizeof mask, O_CLOEXEC | O_NONBLOCK);
}

/* Looks for the word to go without sleeping, for up to some two milliseconds: a
 * sleeping processor takes up to a third of one to wake. */
static void await_command(struct pollfd *wait)
{
	for (int tries = 0; tries < 3000; tries++) {
		if (sys3(SYS_poll, wait, 2, 0))
			return;
		sys0(SYS_sched_yield);
	}
}

void stage_reap(struct stage *st)
{
	struct ending end = { 0 };
	struct pollfd wait[2] = { { .fd = open_signals(), .events = POLLIN },
				  { .fd = st->control, .events = POLLIN } };
	char drained[128 * 4];

	int err = wait[0].fd < 0 ? wait[0].fd : install_filter();
	if (err)
		stage_fail(st, PSB_STAGE_OPERATION, err, -1);
	await_command(wait);
	while (!end.done) {
		sys3(SYS_poll, wait, 2, -1);
		if (wait[1].revents & POLLIN)
			receive_command(st);
		if (wait[1].revents & (POLLHUP | POLLERR))
			stage_exit(125);
		if (wait[0].revents) {
			sys3(SYS_read, wait[0].fd, drained, sizeof drained);
			reap(st, &end);
		}
	}
	report(st, &end);
	stage_exit(0);
}
