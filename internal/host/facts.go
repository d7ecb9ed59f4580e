package host

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Facts are what the kernel offers this process. Nothing in them was tried by
// making a process: that user namespaces work shows when the sandbox is cloned,
// and Diagnose tries it.
type Facts struct {
	Kernel   Kernel
	UID      int // effective
	Landlock int // ABI; 0 without Landlock

	// Missing is what the kernel lacks, in the order of the Feature constants.
	Missing []*UnsupportedError

	// HardLimits are this process's own hard limits by name ("RLIMIT_NOFILE").
	HardLimits map[string]uint64
}

// Probe asks the kernel. It takes some ten system calls.
func Probe() Facts {
	f := Facts{
		Kernel:     readKernel(),
		UID:        os.Geteuid(),
		HardLimits: hardLimits(),
	}
	if f.UID == 0 {
		if lacks := rootLacks(); lacks != nil {
			f.Missing = append(f.Missing, lacks)
		}
	}
	abi, err := landlockABI()
	if err != nil {
		f.Missing = append(f.Missing, noLandlock(f.Kernel, err))
	}
	f.Landlock = abi
	if err := actionAvailable(unix.SECCOMP_RET_ERRNO); err != nil {
		f.Missing = append(f.Missing, noSeccomp(FeatureSeccomp, err))
	}
	if err := actionAvailable(unix.SECCOMP_RET_USER_NOTIF); err != nil {
		f.Missing = append(f.Missing, noNotify(f.Kernel, err))
	}
	return f
}

// noLandlock says why landlock_create_ruleset(2) fails.
func noLandlock(k Kernel, err error) *UnsupportedError {
	e := &UnsupportedError{Feature: FeatureLandlock, Err: err}
	switch {
	case errors.Is(err, unix.EOPNOTSUPP):
		e.Need, e.Fix = "it is switched off at boot", "add landlock to the lsm= list of the kernel's command line (see /sys/kernel/security/lsm for the present one)"
	case k.Before(landlockSince):
		e.Need, e.Fix = fmt.Sprintf("it came with Linux %s and this is %s", landlockSince, k), "boot a newer kernel"
	case errors.Is(err, unix.EPERM):
		e.Need, e.Fix = "a seccomp filter above this process refuses it", allowInContainer
	default:
		e.Need, e.Fix = "the kernel was built without it", "boot a kernel with CONFIG_SECURITY_LANDLOCK"
	}
	return e
}

func noNotify(k Kernel, err error) *UnsupportedError {
	e := noSeccomp(FeatureNotify, err)
	if k.Before(notifySince) {
		e.Need, e.Fix = fmt.Sprintf("all that is needed came with Linux %s and this is %s", notifySince, k), "boot a newer kernel"
	}
	return e
}

// noSeccomp says why seccomp(2) fails.
func noSeccomp(feature Feature, err error) *UnsupportedError {
	e := &UnsupportedError{Feature: feature, Err: err, Need: "the kernel has none", Fix: "boot a kernel with CONFIG_SECCOMP_FILTER"}
	if errors.Is(err, unix.EPERM) {
		e.Need, e.Fix = "a seccomp filter above this process refuses it", allowInContainer
	}
	return e
}

func hardLimits() map[string]uint64 {
	resources := map[string]int{
		"RLIMIT_NOFILE": unix.RLIMIT_NOFILE,
		"RLIMIT_CORE":   unix.RLIMIT_CORE,
		"RLIMIT_CPU":    unix.RLIMIT_CPU,
		"RLIMIT_FSIZE":  unix.RLIMIT_FSIZE,
		"RLIMIT_NPROC":  unix.RLIMIT_NPROC,
		"RLIMIT_DATA":   unix.RLIMIT_DATA,
	}
	limits := make(map[string]uint64, len(resources))
	for name, resource := range resources {
		var limit unix.Rlimit
		if err := unix.Getrlimit(resource, &limit); err == nil {
			limits[name] = limit.Max
		}
	}
	return limits
}
