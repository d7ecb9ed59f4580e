package host

import (
	"os"
	"strings"
)

// compareVersions orders texts that hold numbers, such as "3.9.18" and
// "python3.12", by those numbers.
func compareVersions(x, y string) int {
	for x != "" && y != "" {
		if isDigit(x[0]) && isDigit(y[0]) {
			if a, b := leadingNumber(x), leadingNumber(y); a != b {
				return a - b
			}
			x, y = strings.TrimLeft(x, "0123456789"), strings.TrimLeft(y, "0123456789")
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

// matchesVersion says whether have is want or a patch release of it.
func matchesVersion(have, want string) bool {
	return have == want || strings.HasPrefix(have, want+".")
}

// listDir returns the names in a directory, sorted; none if it cannot be read.
func listDir(t *tree, path string) []string {
	found, err := t.walk(path)
	if err != nil || !found.isDir() {
		return nil
	}
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
