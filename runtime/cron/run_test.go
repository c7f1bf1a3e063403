package cron_test

import (
	"strings"
	"sync"
	"testing"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/cron"
)

// What a run writes is bounded, whole in its runes, and says how much more there was.
func TestOutput(t *testing.T) {
	fill := strings.Repeat("a", cron.MaxOutput-1)
	for _, c := range []struct{ what, text, want string }{
		{"nothing", "", ""},
		{"as much as there is room for", fill + "b", fill + "b"},
		{"one more", fill + "bc", fill + "b\n... and 1 bytes more"},
		{"a rune that is cut", fill + "é!", fill + "\n... and 3 bytes more"},
		{"a rune of four bytes that is cut", fill[:len(fill)-2] + "😀", fill[:len(fill)-2] + "\n... and 4 bytes more"},
		{"a rune that just fits", fill[:len(fill)-1] + "é!", fill[:len(fill)-1] + "é\n... and 1 bytes more"},
		{"no UTF-8", "a\xffb", "a\ufffdb"},
		{"half a rune, not cut", "a\xc3", "a\ufffd"},
	} {
		r := &cron.Run{}
		for part := range strings.SplitSeq(c.text, "") { // in parts, as programs write
			if n, err := r.Write([]byte(part)); n != len(part) || err != nil {
				t.Fatal(n, err)
			}
		}
		if got := r.Output(); got != c.want || !utf8.ValidString(got) {
			t.Errorf("%s: ... %q", c.what, got[max(0, len(got)-60):])
		}
	}
}

// Several goroutines of an action may write.
func TestOutputConcurrently(t *testing.T) {
	r := &cron.Run{}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 1000 {
				r.Printf("%s", "0123456789")
			}
		})
	}
	wg.Wait()
	if got := r.Output(); !strings.HasSuffix(got, "\n... and 47232 bytes more") {
		t.Errorf("... %q", got[len(got)-60:])
	}
}
