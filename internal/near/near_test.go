package near_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/internal/near"
)

func TestName(t *testing.T) {
	known := []string{"id", "title", "status", "created_at", "BodyHTML"}
	for name, want := range map[string]string{
		"statsu": "status", "Status": "status", "createdAt": "created_at", "titel": "title",
		"body_html": "BodyHTML", "price": "", "": "", strings.Repeat("x", 1000): "",
	} {
		if got := near.Name(name, known); got != want {
			t.Errorf("Name(%.20q) = %q, want %q", name, got, want)
		}
	}
	if got := near.Name("x", nil); got != "" {
		t.Errorf("Name of nothing = %q", got)
	}
}

func TestSort(t *testing.T) {
	got := near.Sort("Titel", []string{"ID", "Body", "Title"})
	if want := []string{"Title", "ID", "Body"}; !slices.Equal(got, want) {
		t.Errorf("Sort = %q, want %q", got, want)
	}
}

func TestDistance(t *testing.T) {
	long := strings.Repeat("x", 100)
	for _, c := range []struct {
		a, b        string
		limit, want int
	}{
		{"", "", 9, 0},
		{"abc", "", 9, 3},
		{"", "abc", 9, 3},
		{"abc", "abc", 9, 0},
		{"kitten", "sitting", 9, 3},
		{"sitting", "kitten", 9, 3},
		{"ab", "ba", 9, 1},
		{"abcd", "acbd", 9, 1},
		{"ca", "abc", 9, 3}, // swapped letters are not changed again
		{"abcd", "badc", 9, 2},
		{"xab", "ab", 9, 1},
		{"abx", "ab", 9, 1},
		{"axb", "ayb", 9, 1},
		{"abcdef", "uvwxyz", 9, 6},
		{"abcdef", "uvwxyz", 4, 4},
		{"abcdef", "a", 5, 5},
		{"abcdef", "a", 6, 5},
		{"a", "abcdef", 5, 5},
		{"a", "abcdef", 6, 5},
		{long, long, 3, 0},
		{long + "x", long, 3, 3},
		{long, long + "x", 3, 3},
		{long[1:], long, 3, 1},
	} {
		if got := near.Distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q to %q, at most %d: got %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
	}
}
