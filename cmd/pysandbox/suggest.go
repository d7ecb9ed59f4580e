package main

// nearest returns the candidate that takes the fewest edits to reach from
// word, or "" when none is near enough to be a likely slip: at most a third of
// the word's letters, and at least one.
func nearest(word string, candidates []string) string {
	best, limit := "", max(1, len(word)/3)
	for _, candidate := range candidates {
		if d := distance(word, candidate); d <= limit && (best == "" || d < limit) {
			best, limit = candidate, d
		}
	}
	return best
}

// distance is the number of bytes to insert, remove, replace or swap with
// their neighbour to turn a into b (optimal string alignment).
func distance(a, b string) int {
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
