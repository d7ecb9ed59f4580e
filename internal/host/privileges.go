package host

import (
	"fmt"
	"strings"

	"golang.org/x/sys/unix"
)

// rootNeeds are the capabilities with which root's supervisor takes on a leased id,
// opens what the sandbox shows, and ends a process that has the leased id
// (capabilities(7)). A container's root has not all of them.
func rootNeeds() []capability {
	return []capability{
		{unix.CAP_KILL, "CAP_KILL"},
		{unix.CAP_SETGID, "CAP_SETGID"},
		{unix.CAP_SETUID, "CAP_SETUID"},
		{unix.CAP_SYS_ADMIN, "CAP_SYS_ADMIN"},
	}
}

type capability struct {
	bit  uint
	name string
}

const beOrdinary = "run pysandbox as an ordinary user, which needs no capability: USER in the Dockerfile, or docker run --user 1000"

// rootLacks says which capabilities this process has too few of to be root's
// supervisor; nil if none.
func rootLacks() *UnsupportedError {
	header := unix.CapUserHeader{Version: unix.LINUX_CAPABILITY_VERSION_3}
	var data [2]unix.CapUserData
	if err := unix.Capget(&header, &data[0]); err != nil {
		return &UnsupportedError{Feature: FeatureRoot, Need: "they cannot be read", Fix: beOrdinary, Err: err}
	}
	return lackingCapabilities(uint64(data[1].Effective)<<32 | uint64(data[0].Effective))
}

func lackingCapabilities(effective uint64) *UnsupportedError {
	var lacking []string
	for _, c := range rootNeeds() {
		if effective&(1<<c.bit) == 0 {
			lacking = append(lacking, c.name)
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	return &UnsupportedError{
		Feature: FeatureRoot, Fix: beOrdinary,
		Need: "this process is root without " + strings.Join(lacking, ", ") + ", as in a container",
	}
}

// LeaseFailure says why root could not take on an id of the lease range, from the
// errno of setresuid(2) or setgroups(2).
func LeaseFailure(errno unix.Errno) *UnsupportedError {
	if lacks := rootLacks(); lacks != nil {
		lacks.Err = errno
		return lacks
	}
	return &UnsupportedError{
		Feature: FeatureIDs, Fix: beOrdinary + "; with unshare(1), -c in the place of -r", Err: errno,
		Need: "they are not mapped in this user namespace, as in a rootless container",
	}
}

// LacksIDs says whether this process's user namespace has no place for the ids of
// [first, first + count), which root's sandboxes lease.
func LacksIDs(first, count uint32) bool { return lacksIDs(hostSettings(), first, count) }

func lacksIDs(s settings, first, count uint32) bool {
	text, _ := s.text("proc/self/uid_map")
	return text != "" && !mapsRange(text, first, count)
}

func (d *diagnosis) root() Check {
	c := Check{Name: string(FeatureRoot), Tiers: []string{TierFull}}
	if lacks := rootLacks(); lacks != nil {
		return c.failed(lacks)
	}
	c.OK, c.Found = true, "permit ids of sandboxes and mounts"
	return c
}

// mapsRange says whether one line "inside outside count" of a map of ids
// (user_namespaces(7)) has the whole range inside.
func mapsRange(text string, first, count uint32) bool {
	for line := range strings.Lines(text) {
		var inside, outside, size uint64
		if n, err := fmt.Sscan(line, &inside, &outside, &size); n != 3 || err != nil {
			continue
		}
		if inside <= uint64(first) && uint64(first)+uint64(count) <= inside+size {
			return true
		}
	}
	return false
}
