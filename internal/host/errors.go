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
)

// NotFoundError says what was asked for and what there is instead.
type NotFoundError struct {
	Request string   // as the caller wrote it
	Reason  string   // what is missing, such as "no python3.14 on PATH"
	Found   []string // paths of interpreters that could be named
}

func (e *NotFoundError) Error() string {
	text := fmt.Sprintf("find the interpreter %q: %s", e.Request, e.Reason)
	if len(e.Found) == 0 {
		return text + "; install python3, or name an interpreter by its path"
	}
	return text + "; found instead: " + strings.Join(e.Found, ", ")
}

// Is makes errors.Is(err, ErrNotFound) true.
func (e *NotFoundError) Is(target error) bool { return target == ErrNotFound }

// RefusedError says why a file that was found is not run as an interpreter.
type RefusedError struct {
	Path   string
	Reason string
	Kind   error // ErrNotCPython or ErrUntrusted
}

func (e *RefusedError) Error() string {
	return fmt.Sprintf("use %s as interpreter: %s", e.Path, e.Reason)
}

// Unwrap returns the kind.
func (e *RefusedError) Unwrap() error { return e.Kind }
