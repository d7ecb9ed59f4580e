package seccomp

import "golang.org/x/sys/unix"

// Requests of asm-generic/ioctls.h for which golang.org/x/sys/unix has no name.
const (
	requestFIONREAD = 0x541b
	requestFIONBIO  = 0x5421
	requestFIONCLEX = 0x5450
	requestFIOCLEX  = 0x5451
	requestFIOASYNC = 0x5452
	requestTCSETSW2 = 0x402c542c
	requestTCSETSF2 = 0x402c542d
)

// deviceRequests are the ioctl(2) requests that are let through. Among the
// refused are TIOCSTI and TIOCLINUX, which type into the caller's terminal, and
// SIOCGIF*, which list the interfaces of a host socket's namespace. The errno is
// the one of a file without such a request: CPython 3.12 opens its own script
// only if isatty(3) fails that way.
func deviceRequests(t *table) {
	t.allowEach("flags of any open file", "ioctl", 1,
		requestFIOCLEX, requestFIONCLEX, requestFIONBIO, requestFIOASYNC, requestFIONREAD)
	t.allowEach("state of a socket's queue", "ioctl", 1, unix.SIOCATMARK, unix.SIOCOUTQ)
	t.allowEach("settings of a terminal", "ioctl", 1,
		unix.TCGETS, unix.TCSETS, unix.TCSETSW, unix.TCSETSF,
		unix.TCGETS2, unix.TCSETS2, requestTCSETSW2, requestTCSETSF2,
		unix.TCSBRK, unix.TCSBRKP, unix.TCXONC, unix.TCFLSH, unix.TIOCGWINSZ, unix.TIOCSWINSZ)
	t.allowEach("a terminal's place in the session", "ioctl", 1,
		unix.TIOCGPGRP, unix.TIOCSPGRP, unix.TIOCGSID, unix.TIOCSCTTY, unix.TIOCNOTTY)
	t.allowEach("pseudo-terminals of the sandbox", "ioctl", 1,
		unix.TIOCGPTN, unix.TIOCGPTLCK, unix.TIOCSPTLCK, unix.TIOCGPTPEER)
	for _, request := range []uint32{unix.FICLONE, unix.FICLONERANGE} {
		t.refuseQuietlyIf("copies are made by copy_file_range; pathlib takes no other errno for that", unix.EOPNOTSUPP,
			"ioctl", intIs(1, request))
	}
	t.refuseQuietly("a request that is not on the list", unix.ENOTTY, "ioctl")
}
