// Package shim links the stage into a binary: the C code that turns a cloned
// process into a confined CPython. Importing it adds a constructor that runs
// before the Go runtime (begin.c). It holds no policy and never runs Go code in
// the sandbox.
package shim

/*
#cgo CFLAGS: -std=gnu11 -D_GNU_SOURCE -O2 -Wall -Wextra -Werror -fno-stack-protector
#include "begin.h"
*/
import "C"

import (
	"fmt"
	"syscall"
)

// Lease range of host uids for sandboxes that root starts. The gid of a sandbox
// equals its uid; LeaseGroup is never leased and owns the cgroup directory.
const (
	LeaseFirst = C.PSB_LEASE_FIRST
	LeaseCount = C.PSB_LEASE_COUNT
	LeaseGroup = C.PSB_LEASE_GROUP
)

// StageName is argv[0] of a process that must become a stage; argv[1] and
// argv[2] are the host uid and gid of the sandbox, and descriptor 3 is the
// control socket.
const StageName = "pysandbox-stage"

// Begun is a sandbox whose PID 1 was cloned before the Go runtime started.
type Begun struct {
	PID     int // on the host
	PidFD   int
	Control int // SOCK_SEQPACKET, the supervisor's end
	Lease   int // descriptor that holds the uid lease, -1 for an ordinary user
	UID     int // host uid and gid of the sandbox
	GID     int
	Recall  Recall
}

// Recall is what the constructor found of the last run with the same command line.
type Recall struct {
	Sent   bool   // the stage has been given a plan, which Memo describes
	Memo   []byte // in C's memory, not to be changed; nil: no plan is the same
	Header []byte // of a memo for the next run
	File   string // where the next run looks for it; empty: nowhere
}

// BeginError says which step failed before the Go runtime started.
type BeginError struct {
	Step  Step
	Errno syscall.Errno
}

// Step is a step of the constructor.
type Step int

// The steps.
const (
	StepSocket      Step = C.PSB_BEGIN_SOCKET
	StepLease       Step = C.PSB_BEGIN_LEASE
	StepCredentials Step = C.PSB_BEGIN_CREDENTIALS
	StepClone       Step = C.PSB_BEGIN_CLONE
	StepStandard    Step = C.PSB_BEGIN_STANDARD
)

func (s Step) String() string {
	switch s {
	case StepSocket:
		return "make the control socket"
	case StepLease:
		return "lease a host uid below /run/pysandbox/uid"
	case StepCredentials:
		return "take on the leased uid"
	case StepClone:
		return "clone a process in new namespaces"
	case StepStandard:
		return "open /dev/null in the place of a closed standard descriptor"
	default:
		return "begin"
	}
}

func (e *BeginError) Error() string { return fmt.Sprintf("%s: %v", e.Step, e.Errno) }

func (e *BeginError) Unwrap() error { return e.Errno }

// TakeBegun returns the sandbox that the constructor began, or nil when this
// process was not started as `pysandbox exec`. A second call returns nil: the
// caller owns the descriptors.
func TakeBegun() (*Begun, error) {
	b := &C.psb_begun
	if b.attempted == 0 {
		return nil, nil
	}
	b.attempted = 0
	if b.error != 0 {
		return nil, &BeginError{Step(b.step), syscall.Errno(b.error)}
	}
	return &Begun{
		PID:     int(b.pid),
		PidFD:   int(b.pidfd),
		Control: int(b.control),
		Lease:   int(b.lease),
		UID:     int(b.uid),
		GID:     int(b.gid),
		Recall:  recallOf(b),
	}, nil
}
