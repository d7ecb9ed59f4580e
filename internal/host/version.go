package host

import (
	"fmt"
	"os"
	"strings"
)

// isVersionRequest says whether a request is "3", "3.12" or "3.12.1".
func isVersionRequest(request string) bool {
	parts := strings.Split(request, ".")
	if parts[0] != "3" || len(parts) > 3 {
		return false
	}
	for _, part := range parts {
		if part == "" || len(part) > 2 || strings.Trim(part, digits) != "" {
			return false
		}
	}
	return true
}

// parsePythonName splits "python3.13t" into "3.13" and "t".
func parsePythonName(name string) (version, suffix string, ok bool) {
	rest, ok := strings.CutPrefix(name, "python")
	if !ok || !strings.HasPrefix(rest, "3.") {
		return "", "", false
	}
	suffix = strings.TrimLeft(rest[len("3."):], digits)
	version = rest[:len(rest)-len(suffix)]
	if len(version) < len("3.0") || len(version) > len("3.00") || strings.Trim(suffix, "abcdefghijklmnopqrstuvwxyz") != "" {
		return "", "", false
	}
	return version, suffix, true
}

// minor returns 12 of "3.12", -1 of what is no such version.
func minor(version string) int {
	text, ok := strings.CutPrefix(version, "3.")
	if !ok {
		return -1
	}
	return leadingNumber(text)
}

// isTooOld says whether a version such as "3.7" or "3.7.16" is not supported.
func isTooOld(version string) bool {
	n := minor(version)
	return 0 <= n && n < oldestMinor
}

// oldVersion is the version in a name such as "python3.7", "python2.7" or "2.7" if it
// is not supported; otherwise empty.
func oldVersion(name string) string {
	version := strings.TrimPrefix(name, "python")
	if isTooOld(version) || version == "2" || strings.HasPrefix(version, "2.") && strings.Trim(version, digits+".") == "" {
		return version
	}
	return ""
}

func tooOld(version string) string {
	return fmt.Sprintf("Python %s is too old; 3.%d is the oldest that is supported", version, oldestMinor)
}

const digits = "0123456789"

// compareVersions orders texts that hold numbers, such as "3.9.18" and
// "python3.12", by those numbers.
func compareVersions(x, y string) int {
	for x != "" && y != "" {
		if isDigit(x[0]) && isDigit(y[0]) {
			if a, b := leadingNumber(x), leadingNumber(y); a != b {
				return a - b
			}
			x, y = strings.TrimLeft(x, digits), strings.TrimLeft(y, digits)
			continue
		}
		if x[0] != y[0] {
			return int(x[0]) - int(y[0])
		}
		x, y = x[1:], y[1:]
	}
	return len(x) - len(y)
}

// leadingNumber returns the number at the start of text, -1 if there is none.
func leadingNumber(text string) int {
	const limit = 1 << 20
	number := -1
	for i := 0; i < len(text) && isDigit(text[i]) && number < limit; i++ {
		number = max(number, 0)*10 + int(text[i]-'0')
	}
	return number
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// matchesVersion says whether have is want or a release of it; every version is
// one of the empty one.
func matchesVersion(have, want string) bool {
	return want == "" || have == want || strings.HasPrefix(have, want+".")
}

// listDir returns the names in a directory, sorted; none if it cannot be read.
func listDir(t *tree, path string) []string {
	found, err := t.walk(path)
	if err != nil || !found.isDir() {
		return nil
	}
	t.watch(found.path)
	entries, err := os.ReadDir(found.path)
	if err != nil {
		return nil
	}
	names := make([]string, len(entries))
	for i, entry := range entries {
		names[i] = entry.Name()
	}
	return names
}
