/* Receiving and reading a plan: messages, descriptors, decoded operations. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include "stage.h"

/* Receives one message; descriptors are appended to st->donated. Returns its
 * type, 0 at end of file, or -errno. */
int plan_receive_message(struct stage *st, struct psb_message *msg)
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
		const int *fds = (const int *)CMSG_DATA(c);
		for (uint32_t i = 0; i < count; i++) {
			if (st->donated_count == PSB_MAX_DONATED)
				return -EMFILE;
			st->donated[st->donated_count++] = fds[i];
		}
	}
	return (int)msg->type;
}

/* Makes bytes the program of operations that run_ops runs, after checking that
 * its tables lie inside it. The supervisor is trusted; the checks catch a
 * version that does not match. */
int plan_use(struct stage *st, const uint8_t *bytes, uint32_t size)
{
	const struct psb_header *head = (const struct psb_header *)bytes;

	if (size < sizeof *head || head->magic != PSB_MAGIC || head->size != size ||
	    head->pool > size || bytes[size - 1] != 0 ||
	    sizeof *head + (uint64_t)head->op_count * sizeof(struct psb_op) > head->pool)
		return -EBADMSG;
	st->plan = bytes;
	st->plan_size = size;
	return 0;
}

#define LARGEST_PLAN (64 << 20)

/* Maps the plan, whose descriptor came last. */
static int map_plan(struct stage *st)
{
	struct stat info;

	if (!st->donated_count)
		return -EBADF;
	int fd = st->donated[--st->donated_count];
	long at = sys2(SYS_fstat, fd, &info);
	if (!at && (info.st_size <= 0 || info.st_size > LARGEST_PLAN))
		at = -EBADMSG;
	if (!at)
		at = sys6(SYS_mmap, 0, info.st_size, PROT_READ, MAP_PRIVATE | MAP_POPULATE, fd, 0);
	sys1(SYS_close, fd);
	if (at < 0 && at > -4096)
		return (int)at;
	return plan_use(st, (const uint8_t *)at, (uint32_t)info.st_size);
}

/* Receives until the plan has come. The stage ends with its supervisor. */
int plan_receive(struct stage *st)
{
	struct psb_message msg;
	for (;;) {
		int type = plan_receive_message(st, &msg);
		if (type == 0)
			stage_exit(125);
		if (type == PSB_MSG_PLAN)
			return map_plan(st);
		if (type != PSB_MSG_FDS)
			return type < 0 ? type : -EBADMSG;
	}
}

uint32_t plan_count(const struct stage *st)
{
	return ((const struct psb_header *)st->plan)->op_count;
}

/* Decodes operation i of the plan, i < plan_count. */
int plan_decode(const struct stage *st, uint32_t i, struct op *op)
{
	const struct psb_header *head = (const struct psb_header *)st->plan;
	const struct psb_op *raw = (const struct psb_op *)(head + 1) + i;
	const char *pool = (const char *)st->plan + head->pool;
	uint32_t size = st->plan_size - head->pool;

	if (raw->s1 >= size || raw->s2 >= size || raw->data > size ||
	    raw->data_len > size - raw->data)
		return -EBADMSG;
	*op = (struct op){
		.code = raw->code,
		.flags = raw->flags,
		.s1 = pool + raw->s1,
		.s2 = pool + raw->s2,
		.data = (const uint8_t *)pool + raw->data,
		.data_len = raw->data_len,
		.n1 = raw->n1,
		.n2 = raw->n2,
		.n3 = raw->n3,
	};
	return 0;
}
