/* New processes that share our memory: no page is copied. */
#include <sys/mman.h>

#include "stage.h"

/* Clones a process that calls run(with) on a stack of its own and must not return.
 * It shares our memory, but no descriptors and no signal handlers. Returns its pid,
 * or -errno. */
long clone_here(struct clone_args *args, void (*run)(void *), void *with)
{
	long stack = sys6(SYS_mmap, 0, PSB_STACK_SIZE, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
	if (stack < 0 && stack > -4096)
		return stack;
	/* What runs off the stack faults instead of writing to our memory. */
	long err = sys3(SYS_mprotect, stack, PSB_GUARD_SIZE, PROT_NONE);
	if (err)
		return err;
	args->flags |= CLONE_VM;
	args->stack = (uint64_t)stack;
	args->stack_size = PSB_STACK_SIZE;
	long pid;
	/* The child wakes on an empty stack, so it may use no local variable, only
	 * registers, which clone keeps. */
	__asm__ volatile("syscall\n\t"
			 "test %%rax, %%rax\n\t"
			 "jnz 1f\n\t"
			 "mov %[with], %%rdi\n\t"
			 "call *%[run]\n\t"
			 "hlt\n\t"
			 "1:"
			 : "=a"(pid)
			 : "a"(SYS_clone3), "D"(args), "S"(sizeof *args), [run] "r"(run),
			   [with] "r"(with)
			 : "rcx", "r11", "memory");
	return pid;
}
