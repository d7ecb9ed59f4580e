/* Making directories, files and links, only ever in file systems of the stage's own.
 * Runs in: PID 1, before it gives up its capabilities. */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>

#include "stage.h"

#define MAX_PATH 4096

/* The file systems that the stage has made, by device number. */
static struct {
	uint64_t device[64];
	unsigned count;
} own;

/* From here on things may be made in the file system of tree. */
int create_in(int tree)
{
	struct stat st;
	int err = (int)sys2(SYS_fstat, tree, &st);
	if (!err && own.count == sizeof own.device / sizeof own.device[0])
		err = -ENFILE;
	if (!err)
		own.device[own.count++] = st.st_dev;
	return err;
}

/* Returns 0 if path is to be made in a file system of the stage's. Nothing is ever
 * made in one of the host's: a plan may be a wrong guess until the supervisor has
 * confirmed it, and what it binds is the host's. */
static int check_place(const char *path)
{
	char parent[MAX_PATH];
	size_t len = text_length(path);
	struct stat st;

	if (len >= sizeof parent || path[0] != '/')
		return -EINVAL;
	text_copy(parent, path);
	while (len > 1 && parent[len] != '/')
		len--;
	parent[len] = 0;
	int err = (int)sys2(SYS_stat, parent, &st);
	if (err)
		return err;
	for (unsigned i = 0; i < own.count; i++)
		if (own.device[i] == st.st_dev)
			return 0;
	return -EXDEV;
}

static int make_directory(const char *path, unsigned mode)
{
	struct stat st;
	int err = check_place(path);
	if (!err)
		err = (int)sys2(SYS_mkdir, path, mode);
	else if (err == -EXDEV && !sys2(SYS_stat, path, &st) && S_ISDIR(st.st_mode))
		err = -EEXIST;
	return err;
}

int op_mkdir(const char *path, unsigned mode)
{
	int err = make_parents(path);
	if (err)
		return err;
	err = make_directory(path, mode);
	if (err == -EEXIST)
		return 0;
	return err;
}

/* Creates every missing directory above path. */
int make_parents(const char *path)
{
	char part[MAX_PATH];
	size_t len = text_length(path), i;

	if (len >= sizeof part || path[0] != '/')
		return -EINVAL;
	for (i = len; i > 1 && path[i] != '/'; i--)
		;
	if (i <= 1)
		return 0;
	text_copy(part, path);
	part[i] = 0;
	int err = make_directory(part, 0755);
	if (!err || err == -EEXIST)
		return 0;
	if (err != -ENOENT)
		return err;
	for (size_t j = 1; j <= i; j++) {
		if (part[j] != '/' && part[j] != 0)
			continue;
		char kept = part[j];
		part[j] = 0;
		err = make_directory(part, 0755);
		if (err && err != -EEXIST)
			return err;
		part[j] = kept;
	}
	return 0;
}

int op_file(const struct op *op)
{
	int err = make_parents(op->s1);
	if (!err)
		err = check_place(op->s1);
	if (err)
		return err;
	int fd = (int)sys3(SYS_open, op->s1, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC,
			   op->n1);
	if (fd < 0)
		return fd;
	long n = sys3(SYS_write, fd, op->data, op->data_len);
	sys1(SYS_close, fd);
	if (n < 0)
		return (int)n;
	return (uint32_t)n == op->data_len ? 0 : -EIO;
}

int op_symlink(const struct op *op)
{
	int err = make_parents(op->s1);
	if (!err)
		err = check_place(op->s1);
	if (err)
		return err;
	return (int)sys2(SYS_symlink, op->s2, op->s1);
}

static int make_file(const char *path)
{
	struct stat st;
	int err = check_place(path);
	if (!err)
		err = (int)sys3(SYS_mknod, path, S_IFREG | 0444, 0);
	else if (err == -EXDEV && !sys2(SYS_lstat, path, &st) && !S_ISDIR(st.st_mode))
		err = -EEXIST;
	return err;
}

/* Makes a mount point for tree: a directory for a directory, an empty file for
 * anything else. One that is there already will do. */
int make_mount_point(int tree, const char *target)
{
	struct stat st;
	long err = sys2(SYS_fstat, tree, &st);

	for (int tries = 0; !err && tries < 2; tries++) {
		err = S_ISDIR(st.st_mode) ? make_directory(target, 0755) : make_file(target);
		if (err != -ENOENT)
			return err == -EEXIST ? 0 : (int)err;
		err = make_parents(target);
	}
	return (int)err;
}
