#include <linux/futex.h>

#include "stage.h"

size_t text_length(const char *s)
{
	size_t n = 0;
	while (s[n])
		n++;
	return n;
}

bool text_equal(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

char *text_copy(char *out, const char *s)
{
	while (*s)
		*out++ = *s++;
	*out = 0;
	return out;
}

char *text_number(char *out, uint64_t value)
{
	char digits[20];
	int n = 0;
	do {
		digits[n++] = (char)('0' + value % 10);
		value /= 10;
	} while (value);
	while (n)
		*out++ = digits[--n];
	*out = 0;
	return out;
}

int text_parse(const char *s, uint32_t *value)
{
	uint64_t v = 0;
	if (!*s)
		return -1;
	for (; *s; s++) {
		if (*s < '0' || *s > '9')
			return -1;
		v = v * 10 + (uint64_t)(*s - '0');
		if (v > UINT32_MAX)
			return -1;
	}
	*value = (uint32_t)v;
	return 0;
}

void stage_exit(int code)
{
	for (;;)
		sys1(SYS_exit_group, code);
}
