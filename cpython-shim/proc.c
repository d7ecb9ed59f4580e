/* /proc: own processes, and of the rest only what the operation names. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <sys/mount.h>
#include <sys/stat.h>

#include "stage.h"

struct dirent64 {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

/* What stands in for hidden entries, in a directory of its own. */
#define MASK_DIR "d"
#define MASK_FILE "f"

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

/* Covers /proc/name. Runs in the directory of the masks. One call for each of some
 * forty entries: mount(2) takes half the time of open_tree and move_mount. The
 * clone is as read-only as the mount it is made from. */
static int hide(const char *name, bool dir)
{
	char at[6 + 256] = "/proc/";
	if (text_length(name) > 255)
		return -ENAMETOOLONG;
	text_copy(at + 6, name);
	return (int)sys5(SYS_mount, dir ? MASK_DIR : MASK_FILE, at, 0, MS_BIND, 0);
}

#define DT_DIR_TYPE 4
#define DT_LNK_TYPE 10

static int hide_all(int proc, const struct op *op)
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
			int err = hide(entry->name, entry->type == DT_DIR_TYPE);
			if (err && err != -ENOENT)
				return err;
		}
	}
}

/* Makes the masks, in a small read-only tmpfs at path, and returns its descriptor.
 * The mount of proc covers it: only clones are seen, and nothing has to be taken
 * away, for which the kernel would wait for a grace period. */
static int make_masks(const char *path)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_RDONLY };
	int dir = -1;
	int tree = mount_tmpfs("16k", "8", "0555",
			       MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
	if (tree < 0)
		return tree;
	int err = attach_tree(tree, path);
	if (!err)
		err = dir = (int)sys3(SYS_open, path, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (err >= 0)
		err = (int)sys3(SYS_mkdirat, dir, MASK_DIR, 0555);
	if (!err)
		err = (int)sys4(SYS_mknodat, dir, MASK_FILE, S_IFREG | 0444, 0);
	if (!err)
		err = (int)sys5(SYS_mount_setattr, dir, "", AT_EMPTY_PATH, &attr, sizeof attr);
	return err < 0 ? err : dir;
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
	const char *p = (const char *)op->data, *end = p + op->data_len;
	int err = op_mkdir(op->s1, 0555);

	if (err)
		return err;
	int masks = make_masks(op->s1);
	if (masks < 0)
		return masks;
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
		err = (int)sys1(SYS_fchdir, masks);
	if (!err)
		err = hide_all(proc, op);
	sys1(SYS_close, masks);
	sys1(SYS_close, proc);
	return err ? err : (int)sys1(SYS_chdir, "/");
}
