/* The program's terminal: a pty of the sandbox's own devpts, so that it has a
 * name inside (ttyname(3)). Runs in: PID 1. */
#include <errno.h>
#include <fcntl.h>
#include <sys/ioctl.h>

#include "stage.h"

/* TIOCGPTPEER (ioctl_tty(2), Linux 4.13) opens the other side without a path. */
static int open_pty(int *master, int *slave)
{
	int unlocked = 0;

	*master = (int)sys3(SYS_open, "/dev/pts/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC, 0);
	if (*master < 0)
		return *master;
	int err = (int)sys3(SYS_ioctl, *master, TIOCSPTLCK, &unlocked);
	*slave = err ? err : (int)sys3(SYS_ioctl, *master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (*slave < 0)
		sys1(SYS_close, *master);
	return *slave < 0 ? *slave : 0;
}

/* Puts the terminal in the place of the standard descriptors in mask (bit 0:
 * standard input) and gives the supervisor the master. */
int stage_open_terminal(struct stage *st, uint32_t mask)
{
	int master, slave;
	int err = open_pty(&master, &slave);

	if (err)
		return err;
	for (uint32_t i = 0; i < PSB_STDIO_COUNT; i++) {
		if (!(mask & 1u << i))
			continue;
		err = (int)sys3(SYS_dup3, slave, st->donated[i], O_CLOEXEC);
		if (err < 0)
			return err;
	}
	sys1(SYS_close, slave);
	err = stage_give(st, PSB_MSG_TERMINAL, master);
	sys1(SYS_close, master);
	return err;
}
