/* Reading a plan: decoded operations. */
#include <errno.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "stage.h"

/* Makes bytes a plan, after checking that its tables lie inside it. The supervisor is trusted; the checks catch a
 * version that does not match. */
int plan_use(struct plan *plan, const uint8_t *bytes, uint32_t size)
{
	const struct psb_header *head = (const struct psb_header *)bytes;

	if (size < sizeof *head || head->magic != PSB_MAGIC || head->size != size ||
	    head->pool > size || bytes[size - 1] != 0 ||
	    sizeof *head + (uint64_t)head->op_count * sizeof(struct psb_op) > head->pool)
		return -EBADMSG;
	*plan = (struct plan){ bytes, size };
	return 0;
}

#define LARGEST_PLAN (64 << 20)

/* Maps a plan, whose descriptor came last. */
int plan_map(struct stage *st, struct plan *plan)
{
	struct stat info;

	if (st->donated_count <= PSB_STDIO_COUNT)
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
	return plan_use(plan, (const uint8_t *)at, (uint32_t)info.st_size);
}

uint32_t plan_count(const struct plan *plan)
{
	return ((const struct psb_header *)plan->bytes)->op_count;
}

/* Decodes operation i of the plan, i < plan_count. */
int plan_decode(const struct plan *plan, uint32_t i, struct op *op)
{
	const struct psb_header *head = (const struct psb_header *)plan->bytes;
	const struct psb_op *raw = (const struct psb_op *)(head + 1) + i;
	const char *pool = (const char *)plan->bytes + head->pool;
	uint32_t size = plan->size - head->pool;

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
