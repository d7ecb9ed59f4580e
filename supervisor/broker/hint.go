package broker

import (
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/audit"
)

// spawnHint is the flag that would allow file, if there is one that may be given
// as it stands. What lies in the sandbox's own file systems no flag allows.
func spawnHint(file string) string {
	for _, own := range []string{"/tmp/", "/dev/", "/proc/", "/home/sandbox/"} {
		if strings.HasPrefix(file, own) {
			return ""
		}
	}
	if !audit.IsPlain(file) {
		return ""
	}
	return "--allow-spawn=" + file
}

// unixHint is the setting that would allow the socket that fd refers to, if there is
// one: a policy may not name a socket in a directory that the program may write.
func unixHint(fd int) string {
	var mount unix.Statfs_t
	if err := unix.Fstatfs(fd, &mount); err != nil || mount.Flags&unix.ST_RDONLY == 0 {
		return ""
	}
	return unixSetting(fd)
}

// unixSetting names the socket by its path on the host: the caller may have come by a
// link of its own.
func unixSetting(fd int) string {
	file, err := os.Readlink(procFD(fd))
	if err != nil || !audit.IsPlain(file) {
		return ""
	}
	return `network.unix = ["` + file + `"]`
}
