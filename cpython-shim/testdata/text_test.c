/* text_lower on lines as the kernel writes them, and on others. */
#include <stdio.h>
#include <string.h>

#include "../stage.h"

static const uint32_t most[] = { 4096, 131072, 262144 };

static int is(const char *line, const char *want)
{
	char out[3 * 11];
	int failed = text_lower(out, line, most, 3);

	if (want ? !failed && !strcmp(out, want) : failed)
		return 0;
	fprintf(stderr, "\"%s\": %s, want %s\n", line, failed ? "refused" : out, want ? want : "refused");
	return 1;
}

int main(void)
{
	return is("4096\t131072\t33554432\n", "4096 131072 262144") + is("4096\t87380\t174760\n", "4096 87380 174760") +
	       is("1 2 3", "1 2 3") + is("4294967295\t4294967295\t4294967295\n", "4096 131072 262144") + is("", 0) +
	       is("4096\t131072\n", 0) + is("4096\t131072\t4294967296\n", 0) + is("4096\t131072\t123456789012\n", 0) +
	       is("4096\t-1\t2", 0);
}
