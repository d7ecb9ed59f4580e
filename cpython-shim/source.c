/* Sources of binds that the supervisor opens as root. Runs in: the supervisor. */
#include <errno.h>
#include <fcntl.h>
#include <linux/mount.h>
#include <linux/openat2.h>
#include <sys/stat.h>

#include "begin.h"
#include "stage.h"

static int open_path(const char *path)
{
	struct open_how how = { .flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_NO_SYMLINKS };
	return (int)sys4(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
}

static int clone_tree(int at)
{
	return (int)sys3(SYS_open_tree, at, "",
			 AT_EMPTY_PATH | AT_RECURSIVE | OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC);
}

static int idmap_tree(int tree, int userns)
{
	struct mount_attr attr = { .attr_set = MOUNT_ATTR_IDMAP, .userns_fd = (uint64_t)userns };
	return (int)sys5(SYS_mount_setattr, tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr,
			 sizeof attr);
}

/* -ESTALE unless the file at belongs to whom the map is for. */
static int check_owner(int at, const struct psb_source *source)
{
	struct stat st;
	int err = (int)sys2(SYS_fstat, at, &st);
	if (!err && (st.st_uid != source->uid || st.st_gid != source->gid))
		err = -ESTALE;
	return err;
}

/* The user namespace of a pair of owners, made the first time. */
static int userns_of(struct psb_idmaps *maps, const struct psb_source *source)
{
	for (int i = 0; i < maps->count; i++)
		if (maps->uid[i] == source->uid && maps->gid[i] == source->gid)
			return maps->userns[i];
	if (maps->count == PSB_MAX_IDMAPS)
		return -EMFILE;
	int userns = idmap_namespace(source->uid, source->gid, maps->id);
	if (userns < 0)
		return userns;
	maps->uid[maps->count] = source->uid;
	maps->gid[maps->count] = source->gid;
	maps->userns[maps->count++] = userns;
	return userns;
}

/* Clones the tree at source->path, detached from any namespace, and maps it.
 * Returns a descriptor, or -errno; *step is what failed. A path of a plan has no
 * symlinks; one that appeared since is refused with -ELOOP. */
int source_open(const struct psb_source *source, struct psb_idmaps *maps, int *step)
{
	*step = PSB_SOURCE_OPEN;
	int at = open_path(source->path);
	if (at < 0)
		return at;
	int err = source->map ? check_owner(at, source) : 0;
	int tree = err ? err : clone_tree(at);
	sys1(SYS_close, at);
	if (tree < 0 || !source->map)
		return tree;
	*step = PSB_SOURCE_USERNS;
	int userns = userns_of(maps, source);
	err = userns;
	if (userns >= 0) {
		*step = PSB_SOURCE_MAP;
		err = idmap_tree(tree, userns);
	}
	if (err < 0) {
		sys1(SYS_close, tree);
		return err;
	}
	return tree;
}

void idmaps_close(struct psb_idmaps *maps)
{
	for (int i = 0; i < maps->count; i++)
		sys1(SYS_close, maps->userns[i]);
	maps->count = 0;
}
