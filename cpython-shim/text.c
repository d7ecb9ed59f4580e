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

int text_lower(char *out, const char *line, const uint32_t *most, size_t count)
{
	char digits[11];

	for (size_t i = 0; i < count; i++) {
		uint32_t value;
		size_t n = 0;
		while (*line == ' ' || *line == '\t')
			line++;
		while (*line >= '0' && *line <= '9' && n < sizeof digits - 1)
			digits[n++] = *line++;
		digits[n] = 0;
		if (text_parse(digits, &value) || (*line >= '0' && *line <= '9'))
			return -1;
		if (i)
			out = text_copy(out, " ");
		out = text_number(out, value < most[i] ? value : most[i]);
	}
	return 0;
}

void stage_exit(int code)
{
	for (;;)
		sys1(SYS_exit_group, code);
}
