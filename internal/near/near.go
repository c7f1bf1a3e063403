// Package near sorts known names by how much they resemble one that is not known,
// for messages to people who misspelt it. The generator and the runtime share it.
package near

import (
	"slices"
	"strings"
)

// maxName bounds the names that are compared letter by letter.
const maxName = 100

// Sort returns the known names, those that resemble name most first; names that
// resemble it equally keep their order.
func Sort(name string, known []string) []string {
	type entry struct {
		name     string
		distance int
	}
	entries := make([]entry, len(known))
	for i, k := range known {
		entries[i] = entry{k, Distance(fold(name), fold(k), maxName)}
	}
	slices.SortStableFunc(entries, func(a, b entry) int { return a.distance - b.distance })
	sorted := make([]string, len(entries))
	for i, e := range entries {
		sorted[i] = e.name
	}
	return sorted
}

// Name returns the known name that name most likely was meant to be, or "" when none
// resembles it.
func Name(name string, known []string) string {
	if len(known) == 0 {
		return ""
	}
	best := Sort(name, known)[0]
	if Distance(fold(name), fold(best), maxName) > min(3, max(1, len(name)/3)) {
		return ""
	}
	return best
}

// fold removes what people mix up: case, hyphens and underscores.
func fold(s string) string {
	return strings.NewReplacer("_", "", "-", "", " ", "").Replace(strings.ToLower(s))
}

// Distance counts the letters to add, drop, change or swap with their neighbour to get
// from one word to another (optimal string alignment). From limit on, and for words of
// more than 100 bytes, it returns limit.
func Distance(a, b string, limit int) int {
	if len(a) > maxName || len(b) > maxName || len(a)-len(b) >= limit || len(b)-len(a) >= limit {
		return limit
	}
	var last []int
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := 1; i <= len(a); i++ {
		next := make([]int, len(b)+1)
		next[0] = i
		for j := 1; j <= len(b); j++ {
			cost := 1
			if a[i-1] == b[j-1] {
				cost = 0
			}
			next[j] = min(row[j]+1, next[j-1]+1, row[j-1]+cost)
			if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
				next[j] = min(next[j], last[j-2]+1)
			}
		}
		last, row = row, next
	}
	return min(row[len(b)], limit)
}
