/* Feeds plan.c byte strings that no supervisor would send and checks that it
 * never reads outside them. Built with the address and undefined-behaviour
 * sanitizers; any finding ends it with a failure. argv[1]: number of tries. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../stage.h"

static uint64_t state = 0x9e3779b97f4a7c15u;

static uint32_t pick(uint32_t below)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return below ? (uint32_t)(state % below) : 0;
}

/* Touches every byte an operation may use, so that a wrong bound is seen. */
static uint64_t touch(const struct op *op)
{
	uint64_t sum = text_length(op->s1) + text_length(op->s2);
	for (uint32_t i = 0; i < op->data_len; i++)
		sum += op->data[i];
	return sum;
}

static uint8_t *make(uint32_t ops, uint32_t pool, uint32_t *size)
{
	*size = (uint32_t)(sizeof(struct psb_header) + ops * sizeof(struct psb_op) + pool);
	uint8_t *bytes = calloc(1, *size);
	struct psb_header head = { PSB_MAGIC, *size, ops, *size - pool };
	memcpy(bytes, &head, sizeof head);
	return bytes;
}

static int good_plan_is_read(void)
{
	struct plan plan;
	struct op op;
	uint32_t size;
	uint8_t *bytes = make(1, 16, &size);
	struct psb_op raw = { .code = PSB_OP_BIND, .s1 = 1, .s2 = 6, .data = 6, .data_len = 3 };
	memcpy(bytes + sizeof(struct psb_header), &raw, sizeof raw);
	memcpy(bytes + size - 16, "\0/usr\0/opt\0", 11);
	int ok = !plan_use(&plan, bytes, size) && plan_count(&plan) == 1 &&
		 !plan_decode(&plan, 0, &op) && op.code == PSB_OP_BIND && text_equal(op.s1, "/usr") &&
		 text_equal(op.s2, "/opt") && op.data_len == 3 && !memcmp(op.data, "/op", 3);
	free(bytes);
	return ok;
}

/* Damages a well-formed plan in up to four places. */
static uint64_t try_damaged(void)
{
	uint32_t size, ops = pick(6);
	uint8_t *bytes = make(ops, 1 + pick(64), &size);
	for (uint32_t i = sizeof(struct psb_header); i + 1 < size; i++)
		if (pick(3) == 0)
			bytes[i] = (uint8_t)pick(256);
	for (uint32_t n = pick(4); n; n--)
		bytes[pick(size)] = (uint8_t)pick(256);
	uint32_t claimed = pick(4) ? size : pick(size + 1);
	uint8_t *exact = malloc(claimed ? claimed : 1);
	memcpy(exact, bytes, claimed);
	struct plan plan;
	struct op op;
	uint64_t sum = 0;
	if (!plan_use(&plan, exact, claimed))
		for (uint32_t i = 0; i < plan_count(&plan); i++)
			if (!plan_decode(&plan, i, &op))
				sum += touch(&op);
	free(exact);
	free(bytes);
	return sum;
}

int main(int argc, char **argv)
{
	long tries = argc > 1 ? atol(argv[1]) : 1000;
	uint64_t sum = 0;

	if (!good_plan_is_read()) {
		fprintf(stderr, "a good plan was not read\n");
		return 1;
	}
	for (long i = 0; i < tries; i++)
		sum += try_damaged();
	printf("%ld damaged plans, checksum %llu\n", tries, (unsigned long long)sum);
	return 0;
}
