/* Says which rights it has: effective uid and gid, and its capabilities. */
#include <linux/capability.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct __user_cap_header_struct head = { _LINUX_CAPABILITY_VERSION_3, 0 };
	struct __user_cap_data_struct data[2] = { { 0, 0, 0 }, { 0, 0, 0 } };

	if (syscall(SYS_capget, &head, data))
		return 1;
	printf("%d %d %x\n", (int)geteuid(), (int)getegid(), data[0].effective | data[1].effective);
	return 0;
}
