// Package nearest finds the name that somebody most likely meant. It only
// compares words.
package nearest

import "strings"

// Name returns the candidate that takes the fewest edits to reach from word, or
// "" where none is near enough to be a likely slip: at most one edit in three
// letters, at least one and never more than three nor as many as word has letters, or
// else the only one that begins with word. Case does not count.
func Name(word string, candidates []string) string {
	best, limit := "", min(3, max(1, len(word)/3))+1
	for _, candidate := range candidates {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < limit && d < len(word) {
			best, limit = candidate, d
		}
	}
	if best == "" {
		return completion(word, candidates)
	}
	return best
}

// minPrefix is how many letters say which word was meant, in bytes.
const minPrefix = 3

// completion is the only candidate that begins with word, or "".
func completion(word string, candidates []string) string {
	only := ""
	for _, candidate := range candidates {
		switch {
		case len(word) < minPrefix || !strings.HasPrefix(strings.ToLower(candidate), strings.ToLower(word)):
		case only != "" && only != candidate:
			return ""
		default:
			only = candidate
		}
	}
	return only
}

// Slip returns the candidate that word would be with one edit at most, or "". Case does
// not count.
func Slip(word string, candidates []string) string {
	for _, candidate := range candidates {
		if distance(strings.ToLower(word), candidate) <= 1 {
			return candidate
		}
	}
	return ""
}

// maxWord is the length beyond which words are not compared, in bytes.
const maxWord = 64

// distance is the number of bytes to insert, remove, replace or swap with their
// neighbour to turn a into b (optimal string alignment).
func distance(a, b string) int {
	if len(a) > maxWord || len(b) > maxWord {
		return len(a) + len(b)
	}
	above, row, next := make([]int, len(b)+1), make([]int, len(b)+1), make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], above[j-2]+1)
			}
		}
		above, row, next = row, next, above
	}
	return row[len(b)]
}
