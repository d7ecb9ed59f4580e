package namespaces

import (
	"slices"
	"strconv"
)

// rlimitNames are the resources of setrlimit(2) by their number on x86-64.
var rlimitNames = [...]string{
	"RLIMIT_CPU", "RLIMIT_FSIZE", "RLIMIT_DATA", "RLIMIT_STACK", "RLIMIT_CORE", "RLIMIT_RSS",
	"RLIMIT_NPROC", "RLIMIT_NOFILE", "RLIMIT_MEMLOCK", "RLIMIT_AS", "RLIMIT_LOCKS",
	"RLIMIT_SIGPENDING", "RLIMIT_MSGQUEUE", "RLIMIT_NICE", "RLIMIT_RTPRIO", "RLIMIT_RTTIME",
}

// Rlimit returns the number of a resource by its name, such as "RLIMIT_NOFILE".
func Rlimit(name string) (uint64, bool) {
	i := slices.Index(rlimitNames[:], name)
	return uint64(max(i, 0)), i >= 0
}

// RlimitName returns the name of a resource, its number in decimal where it has
// none.
func RlimitName(resource uint64) string {
	if resource < uint64(len(rlimitNames)) {
		return rlimitNames[resource]
	}
	return strconv.FormatUint(resource, 10)
}

func rlimitValue(v uint64) string {
	if v == ^uint64(0) {
		return "infinity"
	}
	return strconv.FormatUint(v, 10)
}
