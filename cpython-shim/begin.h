/* Where a sandbox begins, before the Go runtime or from it. */
#ifndef PYSANDBOX_BEGIN_H
#define PYSANDBOX_BEGIN_H

#include <stdint.h>

/* Host uids that root leases to sandboxes; a sandbox's gid is its uid. The
 * first one is never leased: as a gid it owns the cgroup directory. */
#define PSB_LEASE_FIRST 1879048193u
#define PSB_LEASE_COUNT 65534u
#define PSB_LEASE_GROUP 1879048192u

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
};

enum psb_begin_step {
	PSB_BEGIN_NONE,
	PSB_BEGIN_SOCKET,
	PSB_BEGIN_LEASE,
	PSB_BEGIN_CREDENTIALS,
	PSB_BEGIN_CLONE,
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

/* idmap.c */
int idmap_namespace(uint32_t uid, uint32_t gid, uint32_t id);

#endif
