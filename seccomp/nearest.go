package seccomp

import (
	"cmp"
	"fmt"
	"slices"
)

// didYouMean returns "; did you mean X?" for the nearest known name, or "" when
// none is near enough to be a slip of the finger.
func didYouMean(name string, known []string) string {
	if len(known) == 0 || name == "" {
		return ""
	}
	nearest := slices.MinFunc(known, func(a, b string) int {
		return cmp.Compare(distance(name, a), distance(name, b))
	})
	if distance(name, nearest) > 1+len(name)/4 {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// distance is the number of insertions, removals, replacements and swaps of
// neighbours between two words (optimal string alignment).
func distance(a, b string) int {
	var before, last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		before, last, row = last, row, make([]int, len(b)+1)
		row[0] = i
		for j := 1; j <= len(b); j++ {
			row[j] = min(last[j]+1, row[j-1]+1, last[j-1]+unequal(a[i-1], b[j-1]))
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				row[j] = min(row[j], before[j-2]+1)
			}
		}
	}
	return row[len(b)]
}

func unequal(a, b byte) int {
	if a == b {
		return 0
	}
	return 1
}

func callNames() []string {
	names := make([]string, 0, len(knownCalls))
	for _, call := range knownCalls {
		names = append(names, call.name)
	}
	return names
}
