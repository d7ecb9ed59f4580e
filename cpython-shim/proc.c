/* /proc: own processes, and of the rest only what the operation names. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>

#include "stage.h"

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* What stands in for hidden entries: one empty directory, one empty file. */
struct masks {
	int dir;
	int file;
};

static bool starts_with_digit(const char *name)
{
	return name[0] >= '0' && name[0] <= '9';
}

/* Whether name is the first component of path. */
static bool is_first_component(const char *name, const char *path)
{
	while (*name && *name == *path) {
		name++;
		path++;
	}
	return !*name && (!*path || *path == '/');
}

/* Names are NUL-terminated. "sys/vm/overcommit_memory" counts for "sys", which
 * keep_below covers itself. */
static bool is_visible(const struct op *op, const char *name)
{
	const char *p = (const char *)op->data, *end = p + op->data_len;

	if (starts_with_digit(name) || name[0] == '.')
		return true;
	for (; p < end; p += text_length(p) + 1)
		if (is_first_component(name, p))
			return true;
	return false;
}

static int clone_tree(int from)
{
	return (int)sys3(SYS_open_tree, from, "",
			 AT_EMPTY_PATH | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int hide(int proc, const struct masks *masks, const char *name, bool dir)
{
	int tree = clone_tree(dir ? masks->dir : masks->file);
	if (tree < 0)
		return tree;
	long err = sys5(SYS_move_mount, tree, "", proc, name, MOVE_MOUNT_F_EMPTY_PATH);
	sys1(SYS_close, tree);
	return (int)err;
}

#define DT_DIR_TYPE 4
#define DT_LNK_TYPE 10

static int hide_all(int proc, const struct masks *masks, const struct op *op)
{
	_Alignas(struct dirent64) char buf[8192];
	for (;;) {
		long n = sys3(SYS_getdents64, proc, buf, sizeof buf);
		if (n <= 0)
			return (int)n;
		for (long at = 0; at < n;) {
			struct dirent64 *entry = (struct dirent64 *)(buf + at);
			at += entry->reclen;
			/* Links such as "net" lead into the visible part. */
			if (entry->type == DT_LNK_TYPE || is_visible(op, entry->name))
				continue;
			int err = hide(proc, masks, entry->name, entry->type == DT_DIR_TYPE);
			if (err && err != -ENOENT)
				return err;
		}
	}
}

/* The empty directory and file live in a small read-only tmpfs that is gone
 * from the tree before the guest starts; only clones of it stay. */
static int open_masks(struct masks *masks)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int tree = mount_tmpfs("16k", "8", "0555",
			       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (tree < 0)
		return tree;
	int err = attach_tree(tree, "/.empty");
	if (!err)
		err = (int)sys2(SYS_mkdir, "/.empty/d", 0555);
	if (!err)
		err = masks->dir = (int)sys2(SYS_open, "/.empty/d", O_PATH | O_CLOEXEC);
	if (err >= 0)
		err = masks->file = (int)sys3(SYS_open, "/.empty/f",
					      O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0444);
	if (err >= 0)
		err = (int)sys5(SYS_mount_setattr, AT_FDCWD, "/.empty", 0, &attr, sizeof attr);
	return err < 0 ? err : 0;
}

static void close_masks(const struct masks *masks)
{
	sys1(SYS_close, masks->dir);
	sys1(SYS_close, masks->file);
	sys2(SYS_umount2, "/.empty", MNT_DETACH);
	sys1(SYS_rmdir, "/.empty");
}

/* Covers the top directory of path with a tmpfs that holds only path, a clone
 * of proc's own file. An absent file is left absent. */
static int keep_below(int proc, const char *path)
{
	struct mount_attr read_only = { .attr_set = MOUNT_ATTR_RDONLY };
	char top[128], at[128], *p;
	size_t i = 0;

	if (text_length(path) + sizeof "/proc/" > sizeof at)
		return -ENAMETOOLONG;
	int tree = (int)sys3(SYS_open_tree, proc, path, OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
	if (tree < 0)
		return tree == -ENOENT ? 0 : tree;
	text_copy(text_copy(at, "/proc/"), path);
	for (p = text_copy(top, "/proc/"); path[i] != '/'; i++)
		*p++ = path[i];
	*p = 0;
	int cover = mount_tmpfs("16k", "16", "0555",
				MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (cover < 0)
		return cover;
	int err = attach_tree(cover, top);
	if (!err)
		err = attach_tree(tree, at);
	if (!err)
		err = (int)sys5(SYS_mount_setattr, AT_FDCWD, top, 0, &read_only, sizeof read_only);
	return err;
}

static bool has_slash(const char *s)
{
	for (; *s; s++)
		if (*s == '/')
			return true;
	return false;
}

int op_proc(struct stage *st, const struct op *op)
{
	struct masks masks = { -1, -1 };
	const char *p = (const char *)op->data, *end = p + op->data_len;
	int err = op_mkdir(op->s1, 0555);

	if (!err)
		err = attach_tree(st->proc, op->s1);
	if (err)
		return err;
	st->proc = -1;
	int proc = (int)sys3(SYS_open, op->s1, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0);
	if (proc < 0)
		return proc;
	for (; !err && p < end; p += text_length(p) + 1)
		if (has_slash(p))
			err = keep_below(proc, p);
	if (!err)
		err = open_masks(&masks);
	if (!err)
		err = hide_all(proc, &masks, op);
	close_masks(&masks);
	sys1(SYS_close, proc);
	return err;
}
