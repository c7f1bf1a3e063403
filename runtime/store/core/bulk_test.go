package core

import (
	"encoding/json"
	"strings"
	"testing"
)

// TestSizeOf counts the bytes of values of each kind that may be long.
func TestSizeOf(t *testing.T) {
	long := strings.Repeat("x", 100_000)
	for _, v := range []any{long, []byte(long), json.RawMessage(long)} {
		if n := sizeOf(v); n < len(long) {
			t.Errorf("a %T of %d bytes counts as %d", v, len(long), n)
		}
	}
	if n := sizeOf(int64(1)); n < 8 {
		t.Errorf("a number counts as %d bytes", n)
	}
}
