package audit

import "strings"

// IsPlain reports whether what a hint names has no character that means something to
// a shell or in a policy. The program chose it, and people paste hints into both.
func IsPlain(name string) bool {
	for _, c := range []byte(name) {
		plain := c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' ||
			strings.IndexByte("/._-+@%:,=", c) >= 0
		if !plain {
			return false
		}
	}
	return true
}
