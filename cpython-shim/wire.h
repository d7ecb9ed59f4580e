/* What the supervisor and the stage say to each other. Layouts are little
 * endian and shared with namespaces/op.go and namespaces/encode.go; the test
 * wire_test.go fails when the two differ. */
#ifndef PYSANDBOX_WIRE_H
#define PYSANDBOX_WIRE_H

#include <stdint.h>

#define PSB_MAGIC 0x31425350u /* "PSB1" */

/* A plan is one sealed memfd: header, ops, then a pool of strings and data. */
struct psb_header {
	uint32_t magic;
	uint32_t size;     /* of the whole plan, bytes */
	uint32_t op_count;
	uint32_t pool;     /* offset of the pool, bytes */
};

struct psb_op {
	uint16_t code;
	uint16_t flags;
	uint32_t s1;       /* offset into the pool of a NUL-terminated string */
	uint32_t s2;
	uint32_t data;     /* offset into the pool */
	uint32_t data_len; /* bytes */
	uint32_t reserved;
	uint64_t n1, n2, n3;
};

enum psb_opcode {
	PSB_OP_INVALID,
	PSB_OP_MKDIR,
	PSB_OP_FILE,
	PSB_OP_SYMLINK,
	PSB_OP_BIND,
	PSB_OP_TMPFS,
	PSB_OP_PROC,
	PSB_OP_DEVPTS,
	PSB_OP_PIVOT,
	PSB_OP_ROOT_READ_ONLY,
	PSB_OP_CGROUP_NS,
	PSB_OP_RLIMIT,
	PSB_OP_NO_NEW_PRIVS,
	PSB_OP_DROP_CAPS,
	PSB_OP_LANDLOCK,
	PSB_OP_LANDLOCK_PATH,
	PSB_OP_LANDLOCK_ENFORCE,
	PSB_OP_SPAWN,
	PSB_OP_STDIO,
	PSB_OP_PASS_FD,
	PSB_OP_CHDIR,
	PSB_OP_PROBE,
	PSB_OP_FILTER,
	PSB_OP_EXEC,
	PSB_OP_COUNT,
};

#define PSB_FLAG_READ_ONLY    (1u << 0)
#define PSB_FLAG_NO_EXEC      (1u << 1)
#define PSB_FLAG_DEV          (1u << 2)
#define PSB_FLAG_TTY          (1u << 3)
#define PSB_FLAG_NO_SYMFOLLOW (1u << 4)

#endif
