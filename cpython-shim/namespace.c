/* The parts of the setup that no plan changes: network, /proc, an empty root. */
#include <fcntl.h>
#include <linux/mount.h>
#include <net/if.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "stage.h"

/* What waits in a connection within the sandbox is the kernel's memory, which not
 * every host counts for the sandbox. The numbers are the kernel's own, but for the
 * last one, up to which a buffer grows (tcp(7)); each network has its own since Linux
 * 4.15, which begin as those of the host. Lower ones stay. Where /proc/sys is read-only,
 * as in a container, those of the host stay. */
static void bound_buffer(const char *path, uint32_t usual)
{
	const uint32_t most[] = { 4096, usual, 262144 };
	char line[64], bounded[3 * 11];
	int fd = (int)sys3(SYS_open, path, O_RDWR | O_CLOEXEC, 0);
	if (fd < 0)
		return;
	long n = sys3(SYS_read, fd, line, sizeof line - 1);
	line[n > 0 ? n : 0] = 0;
	if (!text_lower(bounded, line, most, 3))
		sys4(SYS_pwrite64, fd, bounded, text_length(bounded), 0);
	sys1(SYS_close, fd);
}

/* Makes the network namespace and brings up lo, which gives 127.0.0.1 and ::1.
 * Kept out of clone(2) so that the parent need not wait for it. */
int stage_network(void)
{
	struct ifreq ifr = { .ifr_name = "lo" };
	long err = sys1(SYS_unshare, CLONE_NEWNET);
	if (err)
		return (int)err;
	int fd = (int)sys3(SYS_socket, AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return fd;
	ifr.ifr_flags = IFF_UP | IFF_RUNNING;
	err = sys3(SYS_ioctl, fd, SIOCSIFFLAGS, &ifr);
	sys1(SYS_close, fd);
	bound_buffer("/proc/sys/net/ipv4/tcp_rmem", 131072);
	bound_buffer("/proc/sys/net/ipv4/tcp_wmem", 16384);
	return (int)err;
}

/* The host's names do not belong to the guest. */
int stage_set_names(void)
{
	static const char host[] = "sandbox", domain[] = "(none)";
	long err = sys2(SYS_sethostname, host, sizeof host - 1);
	if (!err)
		err = sys2(SYS_setdomainname, domain, sizeof domain - 1);
	return (int)err;
}

/* Mounts proc while the host's is visible: afterwards a user namespace may not
 * (user_namespaces(7)). The mount is attached later, by op_proc. */
int stage_detach_proc(struct stage *st)
{
	int fs = (int)sys2(SYS_fsopen, "proc", FSOPEN_CLOEXEC);
	if (fs < 0)
		return fs;
	long err = sys5(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, 0, 0, 0);
	if (!err) {
		err = sys3(SYS_fsmount, fs, FSMOUNT_CLOEXEC,
			   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
				   MOUNT_ATTR_NOEXEC);
		st->proc = (int)err;
	}
	sys1(SYS_close, fs);
	return err < 0 ? (int)err : 0;
}

/* Puts an empty tmpfs over the root and pivots into it. The host's tree stays
 * reachable through st->old_root until op_pivot lets it go. In a new user
 * namespace every inherited mount is at most a slave (mount_namespaces(7)), so
 * nothing done here can propagate to the host. */
int stage_enter_root(struct stage *st)
{
	st->old_root = (int)sys3(SYS_open, "/", O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
	if (st->old_root < 0)
		return st->old_root;
	int root = mount_tmpfs("4m", "4096", "0755", MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV);
	if (root < 0)
		return root;
	long err = sys5(SYS_move_mount, root, "", AT_FDCWD, "/", MOVE_MOUNT_F_EMPTY_PATH);
	if (!err)
		err = sys1(SYS_fchdir, root);
	if (!err)
		err = sys2(SYS_mkdir, ".host", 0700);
	if (!err)
		err = sys2(SYS_pivot_root, ".", ".host");
	if (!err)
		err = sys1(SYS_chroot, ".");
	if (!err)
		err = sys1(SYS_chdir, "/");
	sys1(SYS_close, root);
	return (int)err;
}
