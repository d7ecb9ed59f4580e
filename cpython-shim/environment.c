/* What the Go runtime would read from the caller's environment: GOMEMLIMIT=100M ends
 * it with a status of its own before any Go code runs, GODEBUG writes between the
 * program's lines, a large GOMAXPROCS takes all memory. These are for the caller's
 * own programs in Go. They are set aside here, and Go puts them back once it runs
 * (environment.go), as a policy may pass them on. */
#include <string.h>

#include "begin.h"
#include "stage.h"

/* As many processors as Go manages without a thought. */
#define MOST_PROCESSORS 256u

char *psb_aside[PSB_ASIDE];

static const char *const names[PSB_ASIDE] = {
	"GODEBUG=", "GOGC=", "GOMAXPROCS=", "GOMEMLIMIT=", "GOTRACEBACK=",
};

static char nothing[] = "";

/* A sensible GOMAXPROCS holds. */
static bool holds(const char *name, const char *value)
{
	uint32_t processors;

	return !strcmp(name, "GOMAXPROCS=") && !text_parse(value, &processors) &&
	       processors > 0 && processors <= MOST_PROCESSORS;
}

/* Leaves an empty string in the place of each: the auxiliary vector follows the
 * array, so its length must stay. Of equal names the first one counts, as in Go. */
void environment_set_aside(char **envp)
{
	for (char **e = envp; *e; e++)
		for (int i = 0; i < PSB_ASIDE; i++) {
			size_t length = strlen(names[i]);
			if (strncmp(*e, names[i], length) || holds(names[i], *e + length))
				continue;
			if (!psb_aside[i])
				psb_aside[i] = *e;
			*e = nothing;
			break;
		}
}
