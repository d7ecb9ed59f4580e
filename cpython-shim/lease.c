/* Leases of host uids, for a supervisor that starts as root. A lease is a lock
 * on a file named after the uid; the kernel releases it with the last holder,
 * so a killed supervisor leaves nothing behind. */
#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "begin.h"
#include "stage.h"

#define LEASE_DIR "/run/pysandbox/uid/"

static int make_dir(const char *path)
{
	struct stat info;
	int err = (int)sys2(SYS_mkdir, path, 0755);
	if (err && err != -EEXIST)
		return err;
	err = (int)sys2(SYS_lstat, path, &info);
	if (err)
		return err;
	if (!S_ISDIR(info.st_mode) || info.st_uid != 0 || info.st_mode & 022)
		return -EPERM;
	return 0;
}

static int try_lease(uint32_t uid)
{
	char path[64];
	text_number(text_copy(path, LEASE_DIR), uid);
	int fd = (int)sys3(SYS_open, path, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return fd;
	int err = (int)sys2(SYS_flock, fd, LOCK_EX | LOCK_NB);
	if (err) {
		sys1(SYS_close, fd);
		return err;
	}
	return fd;
}

/* Takes the first free uid of [first, first + count). Returns the descriptor
 * that holds the lease and sets *uid, or -errno; -EBUSY when all are taken. */
int lease_take(uint32_t first, uint32_t count, uint32_t *uid)
{
	int err = make_dir("/run/pysandbox");
	if (!err)
		err = make_dir("/run/pysandbox/uid");
	if (err)
		return err;
	for (uint32_t i = 0; i < count; i++) {
		int fd = try_lease(first + i);
		if (fd == -EAGAIN)
			continue;
		if (fd >= 0)
			*uid = first + i;
		return fd;
	}
	return -EBUSY;
}
