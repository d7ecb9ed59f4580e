package seccomp

import (
	"fmt"

	"github.com/pysandbox/pysandbox/internal/nearest"
)

// didYouMean returns "; did you mean X?" for the nearest known name, or "" when
// none is near enough to be a slip of the finger.
func didYouMean(name string, known []string) string {
	near := nearest.Name(name, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
