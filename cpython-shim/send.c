/* Sending on the control socket. Runs in: the supervisor before Go, and PID 1. */
#include <sys/socket.h>

#include "stage.h"

/* Sends a message with descriptors, which stay open here; at most
 * PSB_FDS_PER_MESSAGE. Returns 0 or -errno. */
int send_fds(int control, uint32_t type, const int *fds, uint32_t count)
{
	_Alignas(struct cmsghdr) char space[CMSG_SPACE(PSB_FDS_PER_MESSAGE * sizeof(int))] = { 0 };
	struct psb_message msg = { .type = type };
	struct iovec iov = { &msg, sizeof msg };
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = space,
		.msg_controllen = CMSG_SPACE(count * sizeof(int)),
	};
	struct cmsghdr *rights = CMSG_FIRSTHDR(&head);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(count * sizeof(int));
	for (uint32_t i = 0; i < count; i++)
		((int *)CMSG_DATA(rights))[i] = fds[i];
	long n = sys3(SYS_sendmsg, control, &head, MSG_NOSIGNAL);
	return n < 0 ? (int)n : 0;
}
