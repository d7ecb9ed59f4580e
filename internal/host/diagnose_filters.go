package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/pysandbox/pysandbox/internal/errnos"
)

func (d *diagnosis) seccomp() Check {
	c := Check{Name: "seccomp filters", Tiers: []string{TierFull, TierContainer, TierMinimal}}
	if err := tryFilter(); err != nil {
		c.Missing = "a filter cannot be loaded: " + err.Error()
		c.Fix = "boot a kernel with CONFIG_SECCOMP_FILTER; in a container, " + allowInContainer
		return c
	}
	c.OK, c.Found = true, "can be loaded"
	return c
}

func (d *diagnosis) notify() Check {
	c := Check{Name: "seccomp notification", Tiers: []string{TierFull, TierContainer}}
	err := tryListener()
	switch {
	case err == nil && tryKillableListener() == nil:
		c.OK, c.Found = true, "a listener can be installed; signals do not repeat calls"
	case err == nil:
		c.OK, c.Found = true, "a listener can be installed; signals may repeat calls (Linux 6.0 mends that)"
	case errnos.Of(err) == unix.EBUSY:
		return c.failed(busyListener(d.settings))
	default:
		return c.failed(noNotify(d.kernel, err))
	}
	return c
}

// FilterFailure says what this host lacks if that is why it refused the filter of a
// sandbox, from the errno of seccomp(2), or nil.
func FilterFailure(errno unix.Errno) *UnsupportedError {
	if errno != unix.EBUSY {
		return nil
	}
	return busyListener(hostSettings())
}

// busyListener names what EBUSY means: only one filter of a process may have a
// listener (seccomp(2)).
func busyListener(s settings) *UnsupportedError {
	need := "a filter above this process already has a listener, and the kernel permits one"
	if status, _ := s.text("proc/self/status"); status != "" {
		if _, after, found := strings.Cut(status, "\nSeccomp_filters:\t"); found {
			count, _, _ := strings.Cut(after, "\n")
			need += fmt.Sprintf("; %s filters are in force here", count)
		}
	}
	return &UnsupportedError{
		Feature: FeatureNotify, Err: unix.EBUSY, Need: need,
		Fix: "start pysandbox outside of the sandbox that has it; in a container, remove listenerPath from its seccomp profile",
	}
}

func (d *diagnosis) landlock() Check {
	c := Check{Name: "Landlock", Tiers: []string{TierFull, TierContainer, TierMinimal}}
	abi, err := landlockABI()
	if err != nil {
		return c.failed(noLandlock(d.kernel, err))
	}
	c.OK, c.Found = true, fmt.Sprintf("ABI %d: files", abi)
	if abi >= landlockTCP {
		c.Found += ", TCP"
	}
	if abi >= landlockScopes {
		c.Found += ", signals and abstract sockets"
	}
	return c
}

// Landlock ABIs that brought rights beyond those for files (landlock(7)).
const (
	landlockTCP    = 4
	landlockScopes = 6
)

// landlockTCP is needed where no network namespace stands behind it.
func (d *diagnosis) landlockTCP() Check {
	c := Check{Name: "Landlock for TCP", Tiers: []string{TierContainer, TierMinimal}}
	abi, err := landlockABI()
	switch {
	case err != nil:
		return c.failed(noLandlock(d.kernel, err))
	case abi < landlockTCP:
		c.Missing = fmt.Sprintf("ABI %d has no rights for TCP; they came with Linux %s", abi, landlockTCPSince)
		c.Fix = "boot a newer kernel, or use the full tier, which has a network namespace"
	default:
		c.OK, c.Found = true, fmt.Sprintf("ABI %d", abi)
	}
	return c
}
