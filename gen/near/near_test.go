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
