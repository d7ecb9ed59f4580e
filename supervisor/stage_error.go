package supervisor

import (
	"fmt"
	"syscall"

	"github.com/pysandbox/pysandbox/internal/host"
	"github.com/pysandbox/pysandbox/namespaces"
)

// StageError says what the stage was doing when the kernel refused.
type StageError struct {
	Stage string
	Op    *namespaces.Op // the operation, when it was one
	Errno syscall.Errno
	Lacks *host.UnsupportedError // what the host lacks, if that is the reason
}

func (e *StageError) Error() string {
	step := e.Stage
	switch {
	case e.Exec() && e.Op != nil: // arguments and environment may hold secrets
		step = "execute " + e.Op.S1
	case e.Op != nil:
		step = e.Op.String()
	}
	if e.Lacks != nil {
		return fmt.Sprintf("set up the sandbox: %s: %v", step, e.Lacks)
	}
	text := fmt.Sprintf("set up the sandbox: %s: %v", step, e.Errno)
	return text + e.advice()
}

// advice is what would help, behind a semicolon, or empty.
func (e *StageError) advice() string {
	switch {
	case e.Exec() && e.Errno == syscall.EACCES: // execve(2)
		return "; its mode lets the sandbox's user not execute it (chmod a+rx), or its file system is mounted noexec"
	case e.Exec() && e.Errno == syscall.E2BIG:
		return "; its arguments and environment together are too long, pass them in a file or on standard input"
	case e.Errno == syscall.EAGAIN: // fork(2), clone(2)
		return "; a limit on processes leaves no room for the sandbox's, raise it (ulimit -u)"
	default:
		return ""
	}
}

func (e *StageError) Unwrap() error { return e.Errno }

// Exec reports whether the setup was complete and only the program could not
// be executed.
func (e *StageError) Exec() bool { return e.Stage == stageName(stageExec) }

// The stages of enum psb_stage in cpython-shim/wire.h.
const (
	stageIdentity = iota + 1
	stageNetwork
	stageProc
	stageRoot
	stageSkeleton
	stageReceive
	stageOperation
	stageExec
	stageClone
)

func stageName(stage int32) string {
	switch stage {
	case stageIdentity:
		return "map the user and group"
	case stageNetwork:
		return "make a network namespace with lo"
	case stageProc:
		return "mount /proc for the sandbox"
	case stageRoot:
		return "make the root of the sandbox"
	case stageSkeleton:
		return "make the fixed part of the tree"
	case stageReceive:
		return "receive the plan"
	case stageOperation:
		return "run the plan"
	case stageExec:
		return "execute the program"
	case stageClone:
		return "clone the sandbox's first process"
	default:
		return "unknown stage"
	}
}

// stageError reads an ERROR message against the program that was sent.
func stageError(m message, setup namespaces.Program) *StageError {
	e := &StageError{Stage: stageName(m.a), Errno: syscall.Errno(m.b)}
	if m.a == stageSkeleton {
		setup = namespaces.Skeleton()
	}
	if m.c >= 0 && int(m.c) < len(setup) {
		e.Op = &setup[m.c]
	}
	if e.Op != nil && e.Op.Code == namespaces.OpFilter {
		e.Lacks = host.FilterFailure(e.Errno)
	} else {
		e.Lacks = stageLacks(m.a, e.Errno)
	}
	return e
}
