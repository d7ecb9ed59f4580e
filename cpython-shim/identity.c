/* Who the sandbox is: one mapped uid and gid, no privileges on the host. */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>

#include "stage.h"

/* Writes text to a file that the kernel provides. Returns 0 or -errno. */
int write_file(const char *path, const char *text)
{
	int fd = (int)sys3(SYS_open, path, O_WRONLY | O_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	size_t len = text_length(text);
	long n = sys3(SYS_write, fd, text, len);
	sys1(SYS_close, fd);
	if (n < 0)
		return (int)n;
	return 0;
}

static int write_map(const char *path, uint32_t inside, uint32_t outside)
{
	char line[48], *p = line;
	p = text_number(p, inside);
	*p++ = ' ';
	p = text_number(p, outside);
	text_copy(p, " 1\n");
	return write_file(path, line);
}

/* Dies with its parent. A credential change clears the setting (prctl(2),
 * PR_SET_PDEATHSIG), so it is armed after the last one too. */
static void arm_death_signal(void)
{
	sys2(SYS_prctl, PR_SET_PDEATHSIG, SIGKILL);
}

/* What the kernel counts for each user, it counts for the caller's too: the sandbox
 * gets a share (inotify(7), user_namespaces(7), setrlimit(2)). No user namespace is
 * made in it. Where /proc/sys is read-only, as in a container, the caller's own
 * bounds stay. */
static void take_share(void)
{
	struct rlimit pending;

	write_file("/proc/sys/user/max_inotify_instances", "32");
	write_file("/proc/sys/user/max_inotify_watches", "16384");
	write_file("/proc/sys/user/max_user_namespaces", "0");
	if (sys4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, 0, &pending))
		return;
	if (pending.rlim_max > 1024)
		pending.rlim_cur = pending.rlim_max = 1024;
	sys4(SYS_prlimit64, 0, RLIMIT_SIGPENDING, &pending, 0);
}

/* Leaves the memory out of what a crash gives to the host: a core_pattern that names a
 * socket (Linux 6.16) gets a core file whatever RLIMIT_CORE says (core(5)). All that is
 * started later inherits this. A kernel without core files has no such file. */
static void empty_dumps(void)
{
	write_file("/proc/self/coredump_filter", "0");
}

/* Runs in: PID 1, new user namespace, before anything else.
 * The maps of a process belong to its dumpable state (user_namespaces(7)), and
 * a changed euid clears that, so it is set first and again afterwards. */
int stage_take_identity(struct stage *st)
{
	int err;

	arm_death_signal();
	sys2(SYS_prctl, PR_SET_DUMPABLE, 1);
	err = write_file("/proc/self/setgroups", "deny");
	if (err)
		return err;
	err = write_map("/proc/self/uid_map", PSB_INSIDE_UID, st->host_uid);
	if (err)
		return err;
	err = write_map("/proc/self/gid_map", PSB_INSIDE_GID, st->host_gid);
	if (err)
		return err;
	err = (int)sys3(SYS_setresgid, PSB_INSIDE_GID, PSB_INSIDE_GID, PSB_INSIDE_GID);
	if (err)
		return err;
	err = (int)sys3(SYS_setresuid, PSB_INSIDE_UID, PSB_INSIDE_UID, PSB_INSIDE_UID);
	if (err)
		return err;
	sys2(SYS_prctl, PR_SET_DUMPABLE, 1);
	arm_death_signal();
	empty_dumps();
	take_share();
	return 0;
}
