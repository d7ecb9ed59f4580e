/* The stage: the code between clone(2) and the guest's execve(2). No Go code
 * and no libc state is used here; see sys.h. */
#ifndef PYSANDBOX_STAGE_H
#define PYSANDBOX_STAGE_H

#include <linux/sched.h>
#include <stdbool.h>
#include <stdint.h>

#include "sys.h"
#include "wire.h"

/* Ids of the program inside the sandbox. */
#define PSB_INSIDE_UID 1000
#define PSB_INSIDE_GID 1000

/* Number of the control socket in PID 1. */
#define PSB_CONTROL_FD 3

/* Encoded operations, mapped read-only. */
struct plan {
	const uint8_t *bytes;
	uint32_t size;
};

/* The processors that a process may run on (sched_setaffinity(2)); size: bytes of mask
 * that count, or -errno. */
struct affinity {
	unsigned long mask[16];
	long size;
};

/* Everything the stage knows. One per sandbox, on PID 1's stack; PID 2 shares
 * it until execve. */
struct stage {
	int control;           /* socket to the supervisor, in PID 1 */
	int program_control;   /* the same socket, in PID 2 */
	uint32_t host_uid;     /* who we are on the host */
	uint32_t host_gid;
	unsigned umask;        /* of the caller, for the program; the stage has its own */
	bool donor;            /* the supervisor is root and opens every source */
	int old_root;          /* O_PATH of the host's root, -1 once left */
	int detacher;          /* process that takes the host's tree down, or 0 */
	int proc;              /* detached proc mount, -1 once attached */
	int ruleset;           /* Landlock ruleset under construction, or -1 */
	int donated[PSB_MAX_DONATED];
	uint32_t donated_count;

	struct plan plan;      /* the operations up to the program */
	struct plan command;   /* what the program is: one EXEC, valid when released */

	struct affinity affinity; /* of PID 2, which begins on PID 1's processor */
	bool terminal;         /* PID 2 leads a foreground process group */
	uint32_t passed;       /* descriptors from 3 upward that the program gets */
	int program;           /* PID 2's id in the sandbox, for PID 1 */
	uint32_t released;     /* futex word: PID 2 may execve */
};

/* The view of one decoded operation; pointers go into the plan. */
struct op {
	uint16_t code;
	uint16_t flags;
	const char *s1, *s2;
	const uint8_t *data;
	uint32_t data_len;
	uint64_t n1, n2, n3;
};

/* identity.c: maps, ids, death signal. Each returns 0 or -errno. */
int stage_take_identity(struct stage *st);
int write_file(const char *path, const char *text);

/* namespace.c */
int stage_network(void);
int stage_set_names(void);
int stage_detach_proc(struct stage *st);
int stage_enter_root(struct stage *st);

/* socket.c: what the supervisor needs of the network namespace. */
int stage_give(struct stage *st, uint32_t type, int fd);
int op_socket(struct stage *st, const struct op *op);
int op_local_routes(void);

/* create.c */
int op_mkdir(const char *path, unsigned mode);
int op_file(const struct op *op);
int op_symlink(const struct op *op);
int create_in(int tree);
int make_parents(const char *path);
int make_mount_point(int tree, const char *target);

/* mount.c, proc.c: operations on the tree. */
int op_bind(struct stage *st, const struct op *op);
int op_tmpfs(const struct op *op);
int op_devpts(const struct op *op);
int op_proc(struct stage *st, const struct op *op);
int op_pivot(struct stage *st);
int stage_detached(struct stage *st, int status);
int stage_await_detacher(struct stage *st);
int op_root_read_only(void);
int attach_tree(int tree, const char *target);
int mount_tmpfs(const char *size, const char *inodes, const char *mode, unsigned attrs);

/* confine.c */
int op_join_group(struct stage *st);
int op_rlimit(const struct op *op);
int op_no_new_privs(void);
int stage_drop_bounding_set(void);
int op_drop_caps(void);
int op_landlock(struct stage *st, const struct op *op);
int op_landlock_path(struct stage *st, const struct op *op);
int op_landlock_enforce(struct stage *st);
int op_probe(const struct op *op);

/* program.c: what PID 2 does. Runs in: PID 2, before execve. */
int program_prepare(struct stage *st);

/* limits.c */
void limits_return(void);
int op_stdio(struct stage *st, const struct op *op);
int op_pass_fd(struct stage *st, const struct op *op);
int op_filter(struct stage *st, const struct op *op);
int op_exec(const struct stage *st);

/* plan.c: each int is 0 or -errno. */
int plan_use(struct plan *plan, const uint8_t *bytes, uint32_t size);
int plan_map(struct stage *st, struct plan *plan);
uint32_t plan_count(const struct plan *plan);
int plan_decode(const struct plan *plan, uint32_t i, struct op *op);

/* send.c */
int send_fds(int control, uint32_t type, const int *fds, uint32_t count);

/* receive.c: what the supervisor sends. */
void stage_expect_stdio(struct stage *st);
int stage_receive(struct stage *st, struct psb_message *msg);
int stage_receive_plan(struct stage *st);
int stage_receive_stdio(struct stage *st);
int op_receive_fds(struct stage *st, const struct op *op);

/* terminal.c */
int stage_open_terminal(struct stage *st, uint32_t mask);

/* clone.c */
#define PSB_STACK_SIZE (64 * 1024) /* the lowest PSB_GUARD_SIZE bytes are no memory */
#define PSB_GUARD_SIZE 4096
long clone_here(struct clone_args *args, void (*run)(void *), void *with);

/* affinity.c: each is a matter of speed, so that errors are none. */
void affinity_part(long pid);
void affinity_stay(struct affinity *all);
void affinity_return(const struct affinity *all);

/* run.c */
void stage_main(struct stage *st) __attribute__((noreturn));
void stage_fail(struct stage *st, int stage, int err, int index) __attribute__((noreturn));

/* reaper.c: what PID 1 does for the rest of its life. */
void stage_reap(struct stage *st) __attribute__((noreturn));

/* text.c: the little of libc that the stage needs. */
size_t text_length(const char *s);
bool text_equal(const char *a, const char *b);
char *text_number(char *out, uint64_t value);
char *text_copy(char *out, const char *s);
int text_parse(const char *s, uint32_t *value);
/* The lower of each of count numbers on a line and the one in most. Returns 0, or -1 if
 * the line has others. */
int text_lower(char *out, const char *line, const uint32_t *most, size_t count);
void stage_exit(int code) __attribute__((noreturn));

#endif
