package host

import (
	"errors"
	"fmt"
)

// Feature is something of the kernel that a tier stands on.
type Feature string

// The features.
const (
	FeatureUserNS   Feature = "user namespaces"
	FeatureRoot     Feature = "root's capabilities"
	FeatureIDs      Feature = "ids of root's sandboxes"
	FeatureLandlock Feature = "Landlock"
	FeatureSeccomp  Feature = "seccomp filters"
	FeatureNotify   Feature = "seccomp notification"
	FeatureProc     Feature = "a /proc of its own"
)

// ErrUnsupported is wrapped by every error that says what this host lacks.
var ErrUnsupported = errors.New("not supported by this host")

// UnsupportedError names what a host lacks.
type UnsupportedError struct {
	Feature Feature
	Need    string // why it is not there
	Fix     string // the command or setting that mends it; empty if nothing does
	Err     error  // what the kernel answered, if it was asked
}

func (e *UnsupportedError) Error() string {
	text := fmt.Sprintf("%s: %s", e.Feature, e.Need)
	if e.Err != nil {
		text += fmt.Sprintf(" (%v)", e.Err)
	}
	if e.Fix != "" {
		text += "; " + e.Fix
	}
	return text
}

// Is makes errors.Is(err, ErrUnsupported) true.
func (e *UnsupportedError) Is(target error) bool { return target == ErrUnsupported }

// Unwrap returns what the kernel answered.
func (e *UnsupportedError) Unwrap() error { return e.Err }
