package model

import (
	"strings"
	"testing"
)

func TestShortName(t *testing.T) {
	if got := ShortName("article_slug_key"); got != "article_slug_key" {
		t.Errorf("a short name became %q", got)
	}
	long := strings.Repeat("a_long_name_", 8)
	x, y := ShortName(long+"x"), ShortName(long+"y")
	if len(x) > 63 || len(y) > 63 {
		t.Errorf("names of %d and %d bytes, at most 63 wanted", len(x), len(y))
	}
	if x == y {
		t.Errorf("two names became one: %q", x)
	}
}
