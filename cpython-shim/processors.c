/* The Go runtime prepares a thread for each processor that it may use. A start
 * has no work for a second one, and without it is a third of a millisecond
 * faster. The runtime takes the number from its environment before any Go code
 * runs, so the constructor has to say it there. */
#include <string.h>

#include "begin.h"

struct psb_lent psb_lent;

static char one_processor[] = "GOMAXPROCS=1";

/* Puts one_processor where envp has its first variable, which Go puts back
 * (processors.go). The array has no room for one more: the auxiliary vector
 * follows it. Go's own variables stay, as the runtime acts on them, and with a
 * GOMAXPROCS of the caller's, or no variable to lend, nothing is done. */
void processors_lend(char **envp)
{
	char **place = 0;

	for (char **e = envp; *e; e++) {
		char *equals = strchr(*e, '=');
		if (!strncmp(*e, "GOMAXPROCS=", 11))
			return;
		if (!place && equals && equals != *e && strncmp(*e, "GO", 2))
			place = e;
	}
	if (!place)
		return;
	psb_lent.variable = *place;
	psb_lent.place = place;
	*place = one_processor;
}
