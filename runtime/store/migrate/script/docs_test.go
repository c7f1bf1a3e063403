package script

import (
	"os"
	"strings"
	"testing"
)

// TestCommentsAreDocumented holds that the page for users has every comment that the runtime reads.
func TestCommentsAreDocumented(t *testing.T) {
	page, err := os.ReadFile("../../../../docs/evolution.md")
	if err != nil {
		t.Fatal(err)
	}
	if len(keywords) == 0 {
		t.Fatal("there are no comments")
	}
	for _, k := range keywords {
		if !strings.Contains(string(page), "`-- "+strings.TrimSpace(k.word)) {
			t.Errorf("docs/evolution.md has no line for the comment %q", "-- "+k.word)
		}
	}
}
