package broker

import (
	"os"
	"strings"

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

// unixHint is the setting that would allow the socket that fd refers to, by its
// path on the host: the caller may have come by a link of its own.
func unixHint(fd int) string {
	file, err := os.Readlink(procFD(fd))
	if err != nil || !audit.IsPlain(file) {
		return ""
	}
	return `network.unix = ["` + file + `"]`
}
