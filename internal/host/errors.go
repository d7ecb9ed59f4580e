package host

import (
	"errors"
	"fmt"
	"strings"
)

// Errors that say why there is no interpreter to run. The error returned wraps
// one of them and says in words what was found and what would help.
var (
	ErrNotFound   = errors.New("no such interpreter")
	ErrNotCPython = errors.New("not a CPython interpreter")
	ErrUntrusted  = errors.New("owner is neither root nor the caller")
	ErrBrokenVenv = errors.New("a virtual environment without its interpreter")
	ErrTooOld     = errors.New("a Python that is not supported")
)

// NotFoundError says what was asked for and what there is instead.
type NotFoundError struct {
	Request string   // as the caller wrote it
	Reason  string   // what is missing, such as "no python3.14 on PATH"
	Found   []string // paths of interpreters that could be named
	TooOld  bool     // what was asked for is not supported, so no host has it
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("find the interpreter %q: %s", e.Request, e.Reason)
	if len(e.Found) == 0 {
		return text + "; install python3, or name an interpreter by its path"
	}
	return text + "; found instead: " + strings.Join(e.Found, ", ")
}

// Is makes errors.Is(err, ErrNotFound) true, and ErrTooOld where that is why.
func (e *NotFoundError) Is(target error) bool {
	return target == ErrNotFound || e.TooOld && target == ErrTooOld
}

// RefusedError says why a file that was found is not run as an interpreter.
type RefusedError struct {
	Path   string
	Reason string
	Kind   error // ErrNotCPython, ErrUntrusted or ErrBrokenVenv
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("use %s as interpreter: %s", e.Path, e.Reason)
}

// Unwrap returns the kind.
func (e *RefusedError) Unwrap() error { return e.Kind }
