/* The caller's own limits (ulimit). Go and the stage cannot work under low ones,
 * and Go ends with a crash dump there. A soft limit is raised as far as the hard
 * one lets it, and given back to the program; a hard one ends the run with a line
 * that names it. Below some 40 MiB of addresses or data no code runs at all: the
 * kernel cannot map the binary then. */
#include <limits.h>
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "begin.h"
#include "stage.h"

#define KIB 1024ull
#define MIB (1024 * KIB)

/* What a limit must be at least, and the value below which a soft one is raised.
 * Go reserves some 1250 MiB of addresses, most of them for its heap's tables, and
 * makes one block of 64 MiB data. CPython does not start below a limit of start. */
static const struct need {
	int resource;
	const char *name, *what, *option; /* of ulimit, which counts in unit */
	uint64_t least, enough, unit, start;
} needs[] = {
	{ RLIMIT_FSIZE, "RLIMIT_FSIZE", "the size of a file", "-f ", 0, RLIM_INFINITY, KIB, 0 },
	{ RLIMIT_NOFILE, "RLIMIT_NOFILE", "the number of open files", "-n ", 16, 4096, 1, 0 },
	{ RLIMIT_NPROC, "RLIMIT_NPROC", "the number of processes", "-u ", 0, RLIM_INFINITY, 1, 0 },
	{ RLIMIT_AS, "RLIMIT_AS", "the address space", "-v ", 1536 * MIB, 8192 * MIB, KIB, 0 },
	{ RLIMIT_DATA, "RLIMIT_DATA", "the data of a process", "-d ", 192 * MIB, 1024 * MIB, KIB, 0 },
	{ RLIMIT_STACK, "RLIMIT_STACK", "the stack", "-s ", 128 * KIB, 8 * MIB, KIB, 128 * KIB },
};

#define NEEDS (sizeof needs / sizeof *needs)

/* What the caller had and what was made of it; equal where nothing was changed. */
static struct rlimit callers[NEEDS], own[NEEDS];

/* Says what is missing, as cmd/pysandbox would, also in the report, and ends. */
static void refuse(const struct need *need, uint64_t have, const char *wanted, uint64_t least)
{
	char reason[256], line[512], *at;

	at = text_copy(text_copy(reason, need->what), " is limited to ");
	at = text_copy(text_number(at, have), need->unit == KIB ? " bytes (" : " (");
	at = text_copy(at, need->name);
	text_copy(text_copy(at, "), "), wanted);
	begin_refused(reason);
	at = text_copy(text_copy(line, "pysandbox: "), reason);
	at = text_copy(text_copy(at, "\npysandbox: hint: ulimit "), need->option);
	at = text_copy(text_number(at, least), ", or higher\n");
	if (write(STDERR_FILENO, line, (size_t)(at - line)) < 0)
		_exit(125);
	_exit(125);
}

static void raise_one(const struct need *need, size_t i)
{
	char wanted[128];

	if (getrlimit((__rlimit_resource_t)need->resource, &callers[i]))
		return;
	own[i] = callers[i];
	if (own[i].rlim_cur < need->enough) {
		own[i].rlim_cur = own[i].rlim_max < need->enough ? own[i].rlim_max : need->enough;
		if (setrlimit((__rlimit_resource_t)need->resource, &own[i]))
			own[i] = callers[i];
	}
	if (own[i].rlim_cur >= need->least)
		return;
	text_number(text_copy(wanted, "too low for pysandbox, which needs "), need->least);
	refuse(need, own[i].rlim_cur, wanted, need->least / need->unit);
}

#define THREADS 20 /* of Go in a run on a busy machine, and the stage's processes */
#define MANY 4096  /* a limit on processes that leaves room, unless they are very many */

static pthread_mutex_t all_made = PTHREAD_MUTEX_INITIALIZER;

static void *wait_for_all(void *unused)
{
	(void)unused;
	pthread_mutex_lock(&all_made);
	pthread_mutex_unlock(&all_made);
	return 0;
}

/* Whether the limit on processes leaves room for the threads of a run, which only
 * trying tells: it counts every process of the user. It does not bind root, but the
 * leased uid, which has no other processes. */
static bool has_room_for_threads(uint64_t limit)
{
	pthread_t threads[THREADS];
	pthread_attr_t small;
	int made = 0;

	if (geteuid() == 0)
		return limit >= THREADS;
	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, PTHREAD_STACK_MIN);
	pthread_mutex_lock(&all_made);
	while (made < THREADS && !pthread_create(&threads[made], &small, wait_for_all, 0))
		made++;
	pthread_mutex_unlock(&all_made);
	for (int i = 0; i < made; i++)
		pthread_join(threads[i], 0);
	pthread_attr_destroy(&small);
	return made == THREADS;
}

/* A thread's stack counts as a whole: 1 MiB is enough for what Go's threads call,
 * and 8 of them are as much as one with the usual size. */
static void make_stacks_small(void)
{
	pthread_attr_t small;

	pthread_attr_init(&small);
	pthread_attr_setstacksize(&small, MIB);
	pthread_setattr_default_np(&small);
	pthread_attr_destroy(&small);
}

void limits_raise(void)
{
	bool bounded = false;

	for (size_t i = 0; i < NEEDS; i++) {
		raise_one(&needs[i], i);
		bounded |= needs[i].unit == KIB && callers[i].rlim_cur < needs[i].enough;
	}
	if (bounded)
		make_stacks_small();
	for (size_t i = 0; i < NEEDS; i++)
		if (needs[i].resource == RLIMIT_NPROC && own[i].rlim_cur < MANY &&
		    !has_room_for_threads(own[i].rlim_cur))
			refuse(&needs[i], own[i].rlim_cur,
			       "which leaves this user no room for the threads of pysandbox", MANY);
}

/* Runs in: PID 2, before its own limits are set. What the plan has set stays. */
void limits_return(void)
{
	for (size_t i = 0; i < NEEDS; i++) {
		struct rlimit now;
		if (!memcmp(&own[i], &callers[i], sizeof own[i]) ||
		    sys4(SYS_prlimit64, 0, needs[i].resource, 0, &now) ||
		    memcmp(&now, &own[i], sizeof now))
			continue;
		now.rlim_cur = callers[i].rlim_cur;
		if (now.rlim_cur < needs[i].start)
			now.rlim_cur = needs[i].start;
		sys4(SYS_prlimit64, 0, needs[i].resource, &now, 0);
	}
}
