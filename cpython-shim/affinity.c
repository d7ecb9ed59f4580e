/* On which processor a new process begins. The kernel chooses it at the fork, and on a
 * machine with two both choices can be wrong: the sandbox is to be set up beside the
 * supervisor, and PID 2 beside nobody, as PID 1 only waits for it. */
#include "stage.h"

static void read_allowed(struct affinity *all)
{
	all->size = sys3(SYS_sched_getaffinity, 0, sizeof all->mask, all->mask);
}

/* Moves a freshly forked child to another allowed processor than ours, where it would
 * wait until we block, and gives it its mask back; what runs elsewhere already stays
 * there. Runs in: the parent. */
void affinity_part(long pid)
{
	struct affinity all, others;
	unsigned cpu = 0;

	read_allowed(&all);
	if (all.size <= 0 || sys3(SYS_getcpu, &cpu, 0, 0) || cpu >= (unsigned long)all.size * 8)
		return;
	others = all;
	others.mask[cpu / 64] &= ~(1UL << (cpu % 64));
	if (sys3(SYS_sched_setaffinity, pid, others.size, others.mask) == 0)
		sys3(SYS_sched_setaffinity, pid, all.size, all.mask);
}

/* Keeps us, and what we fork, on the processor that we run on. all gets what was allowed
 * until then, for affinity_return; where that cannot be read nothing is done. */
void affinity_stay(struct affinity *all)
{
	struct affinity one = { .size = sizeof one.mask };
	unsigned cpu = 0;

	read_allowed(all);
	if (all->size <= 0 || sys3(SYS_getcpu, &cpu, 0, 0) || cpu >= sizeof one.mask * 8)
		return;
	one.mask[cpu / 64] = 1UL << (cpu % 64);
	sys3(SYS_sched_setaffinity, 0, one.size, one.mask);
}

/* Ends what affinity_stay began. Runs in: each process that it was for. */
void affinity_return(const struct affinity *all)
{
	if (all->size > 0)
		sys3(SYS_sched_setaffinity, 0, all->size, all->mask);
}
