/* Operations that take rights away. Runs in: PID 1, before it makes PID 2. */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <sys/prctl.h>
#include <sys/stat.h>

#include "stage.h"

/* Enters a control group by files that the supervisor has opened: the right to
 * move is that of who opened them (since Linux 5.16), and a thread that moves
 * itself waits for no grace period. The supervisor makes the group while the
 * operations before this one run. */
int op_join_group(struct stage *st)
{
	struct psb_message msg;
	uint32_t first = st->donated_count;
	long n = 0;
	int type;

	do
		type = stage_receive(st, &msg);
	while (type == PSB_MSG_STDIO);
	if (type != PSB_MSG_GROUP)
		return type < 0 ? type : -EBADMSG;
	for (uint32_t i = first; i < st->donated_count; i++) {
		if (n >= 0)
			n = sys3(SYS_write, st->donated[i], "0", 1);
		sys1(SYS_close, st->donated[i]);
	}
	st->donated_count = first;
	return n < 0 ? (int)n : 0;
}

int op_rlimit(const struct op *op)
{
	uint64_t limit[2] = { op->n2, op->n3 };
	return (int)sys4(SYS_prlimit64, 0, op->n1, limit, 0);
}

int op_no_new_privs(void)
{
	return (int)sys5(SYS_prctl, PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}

/* Empties the bounding set, which limits what execve(2) may give and nothing that
 * PID 1 has, so it need not wait for the plan. EINVAL ends the loop at the
 * kernel's last capability (capabilities(7)). */
int stage_drop_bounding_set(void)
{
	for (int cap = 0; cap < 64; cap++) {
		int err = (int)sys5(SYS_prctl, PR_CAPBSET_DROP, cap, 0, 0, 0);
		if (err == -EINVAL)
			break;
		if (err)
			return err;
	}
	return 0;
}

/* Empties every other capability set. */
int op_drop_caps(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct none[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	int err = (int)sys5(SYS_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	if (err)
		return err;
	return (int)sys2(SYS_capset, &head, none);
}

/* struct landlock_ruleset_attr as of ABI 6; older headers lack the last field.
 * A kernel that knows less accepts zeros there (landlock_create_ruleset(2)). */
struct ruleset_attr {
	uint64_t handled_access_fs;
	uint64_t handled_access_net;
	uint64_t scoped;
};

int op_landlock(struct stage *st, const struct op *op)
{
	struct ruleset_attr attr = { op->n1, op->n2, op->n3 };
	if (st->ruleset >= 0)
		return -EEXIST;
	st->ruleset = (int)sys3(SYS_landlock_create_ruleset, &attr, sizeof attr, 0);
	return st->ruleset < 0 ? st->ruleset : 0;
}

/* Rights that a rule on a file may hold; a directory's others would be EINVAL.
 * Bit 14 is TRUNCATE (ABI 3), bit 15 IOCTL_DEV (ABI 5). */
#define FILE_RIGHTS                                                                      \
	(LANDLOCK_ACCESS_FS_EXECUTE | LANDLOCK_ACCESS_FS_WRITE_FILE |                    \
	 LANDLOCK_ACCESS_FS_READ_FILE | 1ULL << 14 | 1ULL << 15)

int op_landlock_path(struct stage *st, const struct op *op)
{
	struct landlock_path_beneath_attr rule = { .allowed_access = op->n1 };
	struct stat info;
	int fd;

	if (op->s1[0])
		fd = (int)sys3(SYS_open, op->s1, O_PATH | O_CLOEXEC, 0);
	else if (op->n2 < st->donated_count)
		fd = (int)sys3(SYS_fcntl, st->donated[op->n2], F_DUPFD_CLOEXEC, 0);
	else
		fd = -EBADF;
	if (fd < 0)
		return fd;
	long err = sys2(SYS_fstat, fd, &info);
	if (!err && !S_ISDIR(info.st_mode))
		rule.allowed_access &= FILE_RIGHTS;
	rule.parent_fd = fd;
	if (!err)
		err = sys4(SYS_landlock_add_rule, st->ruleset, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
	sys1(SYS_close, fd);
	return (int)err;
}

int op_landlock_enforce(struct stage *st)
{
	int err = (int)sys2(SYS_landlock_restrict_self, st->ruleset, 0);
	sys1(SYS_close, st->ruleset);
	st->ruleset = -1;
	return err;
}

/* Landlock cannot be read back, so its effect is: a file that ordinary
 * permissions let us read, and no rule names, must be refused. */
int op_probe(const struct op *op)
{
	int fd = (int)sys3(SYS_open, op->s1, O_RDONLY | O_CLOEXEC, 0);
	if (fd >= 0) {
		sys1(SYS_close, fd);
		return -ENOTRECOVERABLE;
	}
	return fd == -EACCES ? 0 : fd;
}
