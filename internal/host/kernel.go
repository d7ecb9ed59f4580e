package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// Kernel is a release of Linux. Features are probed, not derived from it; it is
// there for words to people.
type Kernel struct {
	Major, Minor int
	Release      string // as uname(2) has it, such as "6.18.0-1-amd64"
}

// Releases that brought what is needed. The oldest one that the full tier runs
// on is notifySince: SECCOMP_ADDFD_FLAG_SEND, by which a call is answered with a
// descriptor in one step.
var (
	landlockSince    = Kernel{Major: 5, Minor: 13}
	notifySince      = Kernel{Major: 5, Minor: 14}
	landlockTCPSince = Kernel{Major: 6, Minor: 7}
)

// readKernel returns the running kernel's release.
func readKernel() Kernel {
	var name unix.Utsname
	if err := unix.Uname(&name); err != nil {
		return Kernel{}
	}
	return parseKernel(unix.ByteSliceToString(name.Release[:]))
}

func parseKernel(release string) Kernel {
	k := Kernel{Release: release}
	major, rest, _ := strings.Cut(release, ".")
	k.Major, k.Minor = max(leadingNumber(major), 0), max(leadingNumber(rest), 0)
	return k
}

// Before says whether k is older than other.
func (k Kernel) Before(other Kernel) bool {
	return k.Major < other.Major || k.Major == other.Major && k.Minor < other.Minor
}

func (k Kernel) String() string {
	if k.Release != "" {
		return k.Release
	}
	return fmt.Sprintf("%d.%d", k.Major, k.Minor)
}
