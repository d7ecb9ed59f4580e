/* A library that says that it was loaded. */
#include <stdio.h>

__attribute__((constructor)) static void loaded(void)
{
	puts("THE CODE RUNS");
	fflush(stdout);
}
