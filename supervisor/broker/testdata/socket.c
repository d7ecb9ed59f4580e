/* Makes a TCP socket in the network of another process, as PID 1 does for a
 * supervisor, and sends it to standard input, which is a socket.
 *
 *   socket PID FAMILY */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static void check(long result, const char *what)
{
	if (result < 0) {
		perror(what);
		exit(1);
	}
}

static void enter(const char *pid, const char *name, int type)
{
	char path[64];
	int fd;

	snprintf(path, sizeof path, "/proc/%s/ns/%s", pid, name);
	check(fd = open(path, O_RDONLY | O_CLOEXEC), path);
	check(setns(fd, type), name);
}

int main(int argc, char **argv)
{
	char byte = 0, control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec data = { .iov_base = &byte, .iov_len = 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof control };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&message);
	int fd;

	if (argc != 3)
		return 125;
	enter(argv[1], "user", CLONE_NEWUSER);
	enter(argv[1], "net", CLONE_NEWNET);
	check(fd = socket(atoi(argv[2]), SOCK_STREAM | SOCK_CLOEXEC, 0), "socket");
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	check(sendmsg(0, &message, 0), "send");
	return 0;
}
