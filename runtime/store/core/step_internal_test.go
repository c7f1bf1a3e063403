package core

import (
	"math"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// What is wrong with a secret number does not say the number.
func TestBrokenSecret(t *testing.T) {
	for secret, want := range map[bool]string{true: "must be a number of 64 bits", false: "must be a number of 64 bits, not 9223372036854775808"} {
		c := &Column{Name: "pin", Rules: check.Rules{Kind: check.Int, Secret: secret}}
		s := step{relative: relative{how: store.Added, amount: int64(1)}}
		if _, broken := s.result(c, int64(math.MaxInt64)); broken != want {
			t.Errorf("secret %t: %q, want %q", secret, broken, want)
		}
	}
}
