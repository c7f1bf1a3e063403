package near

import (
	"strings"
	"testing"
)

func TestWord(t *testing.T) {
	known := strings.Fields("name type label help required unique default min max pattern options")
	for word, want := range map[string]string{
		"requierd": "required", "reqired": "required", "Required": "required", "tpye": "type", "labels": "label",
		"maximum": "max", "max_length": "max", "regex": "pattern", "pattren": "pattern", "choices": "options",
		"mx": "max", "zzz": "", "frobnicate": "", "": "", strings.Repeat("x", 1000): "", "option s": "options",
	} {
		if got := Word(word, known); got != want {
			t.Errorf("%q: got %q, want %q", word, got, want)
		}
	}
}

// TestSlipInAForeignWord: one letter may be wrong in another system's word of
// more than three letters.
func TestSlipInAForeignWord(t *testing.T) {
	known := strings.Fields("url text number")
	for word, want := range map[string]string{
		"strng": "text", "integr": "number", "strg": "", "imt": "", "strxxg": "",
		"linke": "text", // line and link: the first in the alphabet
		"ulr":   "url",  // a known word comes first
	} {
		for range 20 { // the words are in a map
			if got := Word(word, known); got != want {
				t.Fatalf("%q: got %q, want %q", word, got, want)
			}
		}
	}
	if got := Word("strng", []string{"number"}); got != "" {
		t.Errorf("got %q, which is not what the word means", got)
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
		if got := distance(c.a, c.b, c.limit); got != c.want {
			t.Errorf("%q to %q, at most %d: got %d, want %d", c.a, c.b, c.limit, got, c.want)
		}
	}
}
