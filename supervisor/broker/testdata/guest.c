/* Runs a program as the sandbox of a test: in the user, mount and network
 * namespaces that the test cloned it into, without capabilities, under Landlock
 * with no TCP rule, and under the filter that it is given.
 *
 *   guest CONTROL FLAGS PRIVATE PROGRAM [ARGUMENT]... < FILTER
 *
 * CONTROL is the number of a socket to the test: it gets the listener's number
 * and answers when the program may start. FLAGS are those of seccomp(2). PRIVATE
 * is an existing directory that becomes a tmpfs of the sandbox's own. */
#define _GNU_SOURCE
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/landlock.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

/* linux/landlock.h of kernels before 6.7 lacks these. */
#define NET_BIND_TCP 1
#define NET_CONNECT_TCP 2

static void check(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(125);
	}
}

static void raise_loopback(void)
{
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };
	int fd = socket(AF_INET, SOCK_DGRAM, 0);

	check(fd, "socket");
	check(ioctl(fd, SIOCSIFFLAGS, &request), "raise lo");
	close(fd);
}

static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[2] = { { 0 } };

	check(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), "clear ambient capabilities");
	check(syscall(SYS_capset, &header, none), "drop capabilities");
	check(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no_new_privs");
}

/* Every TCP bind and connect that the kernel is left to run fails. */
static void forbid_tcp(void)
{
	uint64_t attributes[2] = { 0, NET_BIND_TCP | NET_CONNECT_TCP };
	int ruleset = (int)syscall(SYS_landlock_create_ruleset, attributes, sizeof attributes, 0);

	check(ruleset, "landlock_create_ruleset");
	check(syscall(SYS_landlock_restrict_self, ruleset, 0), "landlock_restrict_self");
	close(ruleset);
}

/* Installs the filter that standard input holds, and returns its listener. */
static int install_filter(unsigned long flags)
{
	static struct sock_filter code[4096];
	size_t size = 0;
	ssize_t n;

	while ((n = read(0, (char *)code + size, sizeof code - size)) > 0) /* a pipe gives parts */
		size += (size_t)n;
	check(n, "read the filter");
	struct sock_fprog program = { .len = (unsigned short)(size / sizeof *code), .filter = code };
	return (int)syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
}

int main(int argc, char **argv)
{
	if (argc < 5)
		return 125;
	int control = atoi(argv[1]);
	check((long)syscall(SYS_close_range, control + 1, ~0U, 0), "close_range");
	raise_loopback();
	check(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "make mounts private");
	check(mount("tmpfs", argv[3], "tmpfs", MS_NOSUID | MS_NODEV, "mode=0777"), "mount the private tmpfs");
	if (getenv("GUEST_ANYIP") &&
	    (system("ip route add local default dev lo") || system("ip -6 route add local default dev lo")))
		return 125;
	drop_capabilities();
	forbid_tcp();
	int listener = install_filter(strtoul(argv[2], NULL, 0));
	check(listener, "install the filter");
	check(write(control, &listener, sizeof listener), "tell the listener");
	char go;
	if (read(control, &go, 1) != 1)
		return 125;
	close(control);
	close(listener);
	execv(argv[4], argv + 4);
	perror(argv[4]);
	return 127;
}
