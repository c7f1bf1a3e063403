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
