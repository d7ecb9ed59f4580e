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

_Static_assert(sizeof(struct psb_header) == 16, "namespaces/encode.go writes 16 bytes");
_Static_assert(sizeof(struct psb_op) == 48, "namespaces/encode.go writes 48 bytes");

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
	PSB_OP_SOCKET,
	PSB_OP_LOCAL_ROUTES,
	PSB_OP_JOIN_GROUP,
	PSB_OP_RECEIVE_FDS,
	PSB_OP_COUNT,
};

#define PSB_FLAG_READ_ONLY    (1u << 0)
#define PSB_FLAG_NO_EXEC      (1u << 1)
#define PSB_FLAG_DEV          (1u << 2)
#define PSB_FLAG_TTY          (1u << 3)
#define PSB_FLAG_NO_SYMFOLLOW (1u << 4)
#define PSB_FLAG_KEEP         (1u << 5)
#define PSB_FLAG_PIN          (1u << 6)

/* Messages on the control socket (SOCK_SEQPACKET), one struct each.
 *
 *   parent                                child
 *     | -- STDIO (three descriptors, ----->|  PID 1, at any point before SPAWN
 *     |       a: which are a terminal)     |
 *     |<-- TERMINAL (master of a pty) -----|  PID 1, if any is
 *     | -- FDS* (sources of binds) ------->|  PID 1
 *     | -- PLAN (sealed memfd) ----------->|  PID 1 runs the operations
 *     | -- GROUP (cgroup.procs files) ---->|  PID 1, at PSB_OP_JOIN_GROUP
 *     | -- FDS (of the program's own) ---->|  PID 1, at PSB_OP_RECEIVE_FDS
 *     |<-- SOCKET* (supervisor's own) -----|  PID 1, one for each PSB_OP_SOCKET
 *     |<-- LISTENER (a: fd number) --------|  PID 2, filter in force
 *     |    pidfd_getfd, posture check      |
 *     | -- GO (sealed memfd: one EXEC) --->|  PID 1 hardens itself, releases PID 2
 *     |                                    |  PID 2: execve
 *     | -- SOCKET (a: domain, b: type) --->|  PID 1 answers with SOCKET
 *     |<-- STOPPED (a: signal) ------------|  PID 1, only with a terminal
 *     |<-- STATUS (a: wait status) --------|  PID 1, then it exits
 *
 * At any point the child may send ERROR instead and exit. An end of file means
 * that the other side is gone: the child then ends, and the whole tree with it.
 * The sender of a message is known by its SCM_CREDENTIALS. */
enum psb_message_type {
	PSB_MSG_NONE,
	PSB_MSG_FDS,
	PSB_MSG_PLAN,
	PSB_MSG_LISTENER,
	PSB_MSG_GO,
	PSB_MSG_STOPPED,
	PSB_MSG_STATUS,
	PSB_MSG_ERROR,
	PSB_MSG_SOCKET, /* PID 1: a socket of its network namespace, by SCM_RIGHTS */
	PSB_MSG_GROUP,  /* supervisor: the cgroup.procs files to enter by, if any */
	PSB_MSG_READY,  /* the stage process: a is PID 1's pid on the host */
	PSB_MSG_STDIO,  /* supervisor: donated descriptors 0, 1 and 2 */
	PSB_MSG_TERMINAL, /* PID 1: the master of the program's terminal */
};

struct psb_message {
	uint32_t type;
	int32_t a;    /* LISTENER: fd; STATUS: wait status; ERROR: stage; STOPPED: signal;
		       * STDIO: bit i is set if descriptor i stands for the terminal */
	int32_t b;    /* STATUS: 1 if other processes were alive; ERROR: errno */
	int32_t c;    /* ERROR: index of the operation; STATUS: milliseconds of CPU
	               * time of a program that SIGXCPU ended, else 0 */
	uint64_t utime_us, stime_us; /* STATUS: of the program and what it waited for */
	uint64_t maxrss_kib;         /* STATUS: of the largest process */
	uint64_t flags;              /* STATUS: PSB_STATUS_* */
};

_Static_assert(sizeof(struct psb_message) == 48, "supervisor/control.go writes 48 bytes");

#define PSB_STATUS_TMP_FULL (1u << 0) /* /tmp had no free block at the end */

/* Stages before the operations of the plan; ERROR.a is one of these. */
enum psb_stage {
	PSB_STAGE_NONE,
	PSB_STAGE_IDENTITY,  /* id maps, setresuid */
	PSB_STAGE_NETWORK,   /* unshare(CLONE_NEWNET), lo */
	PSB_STAGE_PROC,      /* fsmount proc */
	PSB_STAGE_ROOT,      /* tmpfs root and pivot_root */
	PSB_STAGE_SKELETON,  /* the fixed operations */
	PSB_STAGE_RECEIVE,   /* reading the plan */
	PSB_STAGE_OPERATION, /* operation ERROR.c */
	PSB_STAGE_EXEC,      /* execve of the program */
	PSB_STAGE_CLONE,     /* clone3 of PID 1, in the stage process */
};

#define PSB_MAX_DONATED 1024u /* descriptors per run */
#define PSB_STDIO_COUNT 3u    /* the first of them come by STDIO, the rest by FDS */
#define PSB_FDS_PER_MESSAGE 200u

#endif
