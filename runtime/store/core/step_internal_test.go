package core

import (
	"math"
	"testing"
	"time"

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

// Times among declared members become what columns keep. A type of the program's own stays as it is.
func TestMemberTimes(t *testing.T) {
	type members struct {
		At    time.Time
		Until store.Null[time.Time]
	}
	at := time.Date(2026, 1, 2, 3, 4, 5, 123456789, time.FixedZone("", 7200))
	for _, declared := range []bool{true, false} {
		s := &Spec{Columns: make([]Column, 2)}
		want := at
		if declared {
			fields := []check.Member{{Name: "at", Rules: check.Rules{Kind: check.Time}}}
			s.Columns[0].Rules.Fields, s.Columns[1].Rules.Fields = fields, fields
			want = time.Date(2026, 1, 2, 1, 4, 5, 123456000, time.UTC)
		}
		v, null := members{at, store.Some(at)}, store.Some(members{At: at})
		s.normalize([]any{JSONField(&v), NullJSONField(&null)})
		if v.At != want || v.Until != store.Some(want) || null.V.At != want || null.V.Until.Valid {
			t.Errorf("declared %t: %v %v", declared, v, null)
		}
	}
}
