package broker

import (
	"os"
	"strings"
)

// spawnHint is the flag that would allow file, if there is one that may be given
// as it stands. What lies in the sandbox's own file systems no flag allows.
func spawnHint(file string) string {
	for _, own := range []string{"/tmp/", "/dev/", "/proc/", "/home/sandbox/"} {
		if strings.HasPrefix(file, own) {
			return ""
		}
	}
	if !isPlain(file) {
		return ""
	}
	return "--allow-spawn=" + file
}

// unixHint is the setting that would allow the socket that fd refers to, by its
// path on the host: the caller may have come by a link of its own.
func unixHint(fd int) string {
	file, err := os.Readlink(procFD(fd))
	if err != nil || !isPlain(file) {
		return ""
	}
	return `network.unix = ["` + file + `"]`
}

// isPlain reports whether a path has no character that means something to a shell
// or in a policy. The guest chose it, and people paste hints into both.
func isPlain(file string) bool {
	for _, c := range []byte(file) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("/._-+@%:,=", c) >= 0
		if !plain {
			return false
		}
	}
	return true
}
