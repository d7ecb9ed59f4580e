/* Operations on the mount tree. Runs in: PID 1, before it gives up its
 * capabilities. Paths inside are resolved without following any symlink, so
 * that a link in a bound tree cannot move a mount point. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "stage.h"

static int open_no_symlinks(int dir, const char *path, uint64_t flags)
{
	struct open_how how = {
		.flags = flags | O_CLOEXEC,
		.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_SYMLINKS,
	};
	return (int)sys4(SYS_openat2, dir, path, &how, sizeof how);
}

/* Attaches a detached tree at target. Closes tree. */
int attach_tree(int tree, const char *target)
{
	long err = make_mount_point(tree, target);

	if (!err) {
		int at = open_no_symlinks(AT_FDCWD, target, O_PATH);
		err = at;
		if (at >= 0) {
			err = sys5(SYS_move_mount, tree, "", at, "",
				   MOVE_MOUNT_F_EMPTY_PATH | MOVE_MOUNT_T_EMPTY_PATH);
			sys1(SYS_close, at);
		}
	}
	sys1(SYS_close, tree);
	return err < 0 ? (int)err : 0;
}

static int clone_source(struct stage *st, const struct op *op)
{
	bool pin = op->flags & PSB_FLAG_PIN;
	if (!op->s1[0] && !pin) {
		if (op->n1 >= st->donated_count)
			return -EBADF;
		int tree = st->donated[op->n1];
		st->donated[op->n1] = -1;
		return tree;
	}
	int fd = pin ? open_no_symlinks(AT_FDCWD, op->s2, O_PATH)
		     : open_no_symlinks(st->old_root, op->s1, O_PATH);
	if (fd < 0)
		return fd;
	/* Recursive: a less privileged mount namespace may not look under a
	 * locked child mount, so a plain clone of its parent is refused. */
	int tree = (int)sys3(SYS_open_tree, fd, "",
			     AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	sys1(SYS_close, fd);
	return tree;
}

/* What the host mounts later below a tree would come in without these attributes, if
 * the tree took part in its propagation (mount_namespaces(7)). */
int op_bind(struct stage *st, const struct op *op)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_NOSUID, .propagation = MS_PRIVATE };
	int tree = clone_source(st, op);

	if (tree < 0)
		return tree;
	if (!(op->flags & PSB_FLAG_DEV))
		attr.attr_set |= MOUNT_ATTR_NODEV;
	if (op->flags & PSB_FLAG_READ_ONLY)
		attr.attr_set |= MOUNT_ATTR_RDONLY;
	if (op->flags & PSB_FLAG_NO_EXEC)
		attr.attr_set |= MOUNT_ATTR_NOEXEC;
	if (op->flags & PSB_FLAG_NO_SYMFOLLOW)
		attr.attr_set |= MOUNT_ATTR_NOSYMFOLLOW;
	long err = sys5(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			sizeof attr);
	if (err) {
		sys1(SYS_close, tree);
		return (int)err;
	}
	return attach_tree(tree, op->s2);
}

/* Returns a detached tmpfs, or -errno. A null option is left at its default. */
int mount_tmpfs(const char *size, const char *inodes, const char *mode, unsigned attrs)
{
	int fs = (int)sys2(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fs;
	long err = 0;
	if (size)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "size", size, 0);
	if (!err && inodes)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "nr_inodes", inodes, 0);
	if (!err && mode)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", mode, 0);
	if (!err)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (!err)
		err = sys3(SYS_fsmount, fs, FSMOUNT_CLOEXEC, attrs);
	sys1(SYS_close, fs);
	if (err < 0)
		return (int)err;
	int tree = (int)err;
	int noted = create_in(tree);
	if (noted) {
		sys1(SYS_close, tree);
		return noted;
	}
	return tree;
}

static char *text_octal(char *out, unsigned mode)
{
	for (int shift = 9; shift >= 0; shift -= 3)
		*out++ = (char)('0' + ((mode >> shift) & 7));
	*out = 0;
	return out;
}

int op_tmpfs(const struct op *op)
{
	char size[24], inodes[24], mode[8];
	unsigned attrs = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV;

	if (op->flags & PSB_FLAG_READ_ONLY)
		attrs |= MOUNT_ATTR_RDONLY;
	if (op->flags & PSB_FLAG_NO_EXEC)
		attrs |= MOUNT_ATTR_NOEXEC;
	text_number(size, op->n1);
	text_number(inodes, op->n2);
	text_octal(mode, (unsigned)op->n3);
	int tree = mount_tmpfs(op->n1 ? size : 0, op->n2 ? inodes : 0, mode, attrs);
	if (tree < 0)
		return tree;
	return attach_tree(tree, op->s1);
}

int op_devpts(const struct op *op)
{
	int fs = (int)sys2(SYS_fsopen, "devpts", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fs;
	long err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_FLAG, "newinstance", 0, 0);
	if (!err)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "ptmxmode", "0666", 0);
	if (!err)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "mode", "0620", 0);
	if (!err)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_SET_STRING, "max", "256", 0);
	if (!err)
		err = sys5(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (!err)
		err = sys3(SYS_fsmount, fs, FSMOUNT_CLOEXEC, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC);
	sys1(SYS_close, fs);
	if (err < 0)
		return (int)err;
	return attach_tree((int)err, op->s1);
}

int op_root_read_only(void)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	return (int)sys5(SYS_mount_setattr, AT_FDCWD, "/", 0, &attr, sizeof attr);
}
