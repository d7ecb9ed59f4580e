/* Receiving from the supervisor: messages and descriptors. */
#include <errno.h>
#include <sys/socket.h>

#include "stage.h"

/* Keeps the descriptors of a message: those of STDIO at their own places, others
 * behind the last. */
static int keep(struct stage *st, uint32_t type, const int *fds, uint32_t count)
{
	if (type == PSB_MSG_STDIO) {
		for (uint32_t i = 0; i < PSB_STDIO_COUNT && i < count; i++)
			st->donated[i] = fds[i];
		return count == PSB_STDIO_COUNT ? 0 : -EBADMSG;
	}
	for (uint32_t i = 0; i < count; i++) {
		if (st->donated_count == PSB_MAX_DONATED)
			return -EMFILE;
		st->donated[st->donated_count++] = fds[i];
	}
	return 0;
}

/* Receives one message and keeps its descriptors in st->donated. Returns its
 * type, 0 at end of file, or -errno. */
int stage_receive(struct stage *st, struct psb_message *msg)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(PSB_FDS_PER_MESSAGE * sizeof(int))];
	struct iovec iov = { msg, sizeof *msg };
	struct msghdr head = {
		.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof control,
	};
	long n = sys3(SYS_recvmsg, st->control, &head, MSG_CMSG_CLOEXEC);

	if (n <= 0)
		return (int)n;
	if (n != sizeof *msg || head.msg_flags & (MSG_TRUNC | MSG_CTRUNC))
		return -EBADMSG;
	for (struct cmsghdr *c = CMSG_FIRSTHDR(&head); c; c = CMSG_NXTHDR(&head, c)) {
		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		uint32_t count = (uint32_t)((c->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		int err = keep(st, msg->type, (const int *)CMSG_DATA(c), count);
		if (err)
			return err;
	}
	if (msg->type == PSB_MSG_STDIO && msg->a) {
		int err = stage_open_terminal(st, (uint32_t)msg->a);
		if (err)
			return err;
	}
	return (int)msg->type;
}

/* Leaves the places of the descriptors that STDIO brings. */
void stage_expect_stdio(struct stage *st)
{
	for (uint32_t i = 0; i < PSB_STDIO_COUNT; i++)
		st->donated[i] = -1;
	st->donated_count = PSB_STDIO_COUNT;
}

/* Receives until the plan has come. The stage ends with its supervisor. */
int stage_receive_plan(struct stage *st)
{
	struct psb_message msg;
	for (;;) {
		int type = stage_receive(st, &msg);
		if (type == 0)
			stage_exit(125);
		if (type == PSB_MSG_PLAN)
			return plan_map(st, &st->plan);
		if (type != PSB_MSG_FDS && type != PSB_MSG_STDIO)
			return type < 0 ? type : -EBADMSG;
	}
}

/* Receives standard input and output unless they have come: the plan may have
 * been sent before they were there. */
int stage_receive_stdio(struct stage *st)
{
	struct psb_message msg;
	if (st->donated[0] >= 0)
		return 0;
	int type = stage_receive(st, &msg);
	if (type == 0)
		stage_exit(125);
	if (type != PSB_MSG_STDIO)
		return type < 0 ? type : -EBADMSG;
	return 0;
}

/* Receives descriptors that the program is given and that no plan can bring: it may
 * be the one of an earlier run. */
int op_receive_fds(struct stage *st, const struct op *op)
{
	struct psb_message msg;
	uint32_t first = st->donated_count;
	int type;

	do
		type = stage_receive(st, &msg);
	while (type == PSB_MSG_STDIO);
	if (type != PSB_MSG_FDS)
		return type < 0 ? type : -EBADMSG;
	return st->donated_count - first == op->n1 ? 0 : -EBADMSG;
}
