/* Where a sandbox begins, before the Go runtime or from it. */
#ifndef PYSANDBOX_BEGIN_H
#define PYSANDBOX_BEGIN_H

#include <stddef.h>
#include <stdint.h>

/* Host uids that root leases to sandboxes; a sandbox's gid is its uid. The
 * first one is never leased: as a gid it owns the cgroup directory. */
#define PSB_LEASE_FIRST 1879048193u
#define PSB_LEASE_COUNT 65534u
#define PSB_LEASE_GROUP 1879048192u

/* The running binary. */
struct psb_identity {
	uint64_t device, inode, size, seconds, nanoseconds;
};

#define PSB_MEMO_MAGIC 0x31435250u /* "PRC1" */
#define PSB_MEMO_SLOTS 64u

/* A memo is this header, the number of sources (uint32), the sources, then the
 * plan. supervisor/recall.go writes it. Nothing is padded. */
struct psb_memo_header {
	uint64_t magic;
	uint64_t key;                /* of the command line */
	struct psb_identity program; /* that made the plan */
};

struct psb_memo_source {
	uint32_t map, uid, gid; /* as struct psb_source */
	uint32_t length;        /* of the path that follows, with its NUL */
};

_Static_assert(sizeof(struct psb_memo_header) == 56, "supervisor/recall.go copies 56 bytes");
_Static_assert(sizeof(struct psb_memo_source) == 16, "supervisor/recall.go writes 16 bytes");

enum psb_recall {
	PSB_RECALL_NONE,   /* the stage waits for a plan */
	PSB_RECALL_SENT,   /* it runs psb_begun.recalled */
	PSB_RECALL_BROKEN, /* it can run nothing any more */
};

/* What the constructor did. Valid when attempted is not 0. */
struct psb_begun {
	int attempted;
	int error;      /* errno of what failed, 0: the child exists */
	int step;       /* PSB_BEGIN_* */
	int pid;        /* PID 1 of the sandbox, as the host sees it */
	int pidfd;
	int control;    /* supervisor's end of the control socket */
	int lease;      /* descriptor that holds the uid lease, or -1 */
	uint32_t uid;   /* host uid and gid of the sandbox */
	uint32_t gid;

	enum psb_recall recall;
	const uint8_t *recalled; /* sources and plan, without the header */
	size_t recalled_size;
	struct psb_memo_header memo_header; /* of a memo for the next run */
	char memo_file[4096];                 /* where to keep it; empty: nowhere */
};

enum psb_begin_step {
	PSB_BEGIN_NONE,
	PSB_BEGIN_SOCKET,
	PSB_BEGIN_LEASE,
	PSB_BEGIN_CREDENTIALS,
	PSB_BEGIN_CLONE,
	PSB_BEGIN_STANDARD,
};

extern struct psb_begun psb_begun;

int lease_take(uint32_t first, uint32_t count, uint32_t *uid);

/* processors.c. The variable whose place in the environment GOMAXPROCS=1 has until
 * Go puts it back; place is null when there is none. */
struct psb_lent {
	char *variable;
	char **place;
};

extern struct psb_lent psb_lent;

void processors_lend(char **envp);

/* environment.c. Variables of the caller's that Go puts back, or null. */
#define PSB_ASIDE 5

extern char *psb_aside[PSB_ASIDE];

void environment_set_aside(char **envp);

/* limits.c */
void limits_raise(void);

/* Writes the report of a run that ends for a limit; text without quotes. */
void begin_refused(const char *reason);

/* refusal.c */
void refusal_report(int argc, char **argv, const char *reason);

/* recall.c */
void recall_plan(int argc, char **argv, uint32_t id);

/* idmap.c */
int idmap_namespace(uint32_t uid, uint32_t gid, uint32_t id);

/* source.c. A source to open; map: files of uid:gid get the leased uid's id. */
struct psb_source {
	const char *path;
	uint32_t map, uid, gid;
};

#define PSB_MAX_IDMAPS 16

/* One user namespace for each pair of owners. Zero but for id at first. */
struct psb_idmaps {
	uint32_t id; /* leased uid */
	int count;
	uint32_t uid[PSB_MAX_IDMAPS], gid[PSB_MAX_IDMAPS];
	int userns[PSB_MAX_IDMAPS];
};

enum psb_source_step {
	PSB_SOURCE_OPEN,
	PSB_SOURCE_USERNS,
	PSB_SOURCE_MAP,
};

int source_open(const struct psb_source *source, struct psb_idmaps *maps, int *step);
void idmaps_close(struct psb_idmaps *maps);

#endif
