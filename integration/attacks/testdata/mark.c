/* A loader that leaves a mark and loads nothing. It has no libc, which would need
 * a loader itself. */
#include <fcntl.h>
#include <sys/syscall.h>

#ifndef MARK
#define MARK "mark"
#endif

static long call(long number, long a, long b, long c)
{
	long result;
	__asm__ volatile("syscall" : "=a"(result) : "a"(number), "D"(a), "S"(b), "d"(c) : "rcx", "r11", "memory");
	return result;
}

void _start(void);
void _start(void)
{
	call(SYS_open, (long)MARK, O_CREAT | O_WRONLY, 0644);
	call(SYS_exit_group, 0, 0, 0);
}
