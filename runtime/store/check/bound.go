package check

import (
	"errors"
	"fmt"
	"math"
	"strconv"

	"github.com/shopspring/decimal"
)

// Bound is a limit, or none: the zero Bound. It is exact, so that a limit on a
// decimal is the limit that was written.
type Bound struct {
	set   bool
	whole bool  // n says it all
	n     int64 // when whole
	d     decimal.Decimal
	f     float64 // the one that is nearest, for floats
}

// errBound is what ParseBound finds wrong, for its callers to put into words.
var errBound = errors.New("check: not a plain decimal number of at most 18 digits before and 9 behind the point")

// ParseBound reads a limit such as "100" or "-1.50".
func ParseBound(s string) (Bound, error) {
	if !plainNumber(s) {
		return Bound{}, fmt.Errorf("%w: %q", errBound, s)
	}
	d, err := decimal.NewFromString(s)
	if err != nil {
		return Bound{}, fmt.Errorf("%w: %q", errBound, s)
	}
	b := Bound{set: true, d: d}
	if b.f, err = strconv.ParseFloat(s, 64); err != nil {
		return Bound{}, fmt.Errorf("%w: %q", errBound, s)
	}
	if d.IsInteger() && d.BigInt().IsInt64() {
		b.whole, b.n = true, d.IntPart()
	}
	return b, nil
}

// plainNumber accepts digits with an optional sign and point, bounded so that
// no text makes a number that is slow to work with.
func plainNumber(s string) bool {
	if len(s) > 0 && s[0] == '-' {
		s = s[1:]
	}
	before, behind, point := 0, 0, false
	for i := range len(s) {
		switch {
		case s[i] == '.' && !point && before > 0:
			point = true
		case s[i] < '0' || s[i] > '9':
			return false
		case point:
			behind++
		default:
			before++
		}
	}
	return before > 0 && before <= 19 && behind <= MaxScale && (!point || behind > 0)
}

// At is ParseBound for text that is known to be right, as generated code's is.
// It panics otherwise.
func At(s string) Bound {
	b, err := ParseBound(s)
	if err != nil {
		panic(err)
	}
	return b
}

// AtInt is a limit at a whole number.
func AtInt(n int64) Bound {
	return Bound{set: true, whole: true, n: n, d: decimal.NewFromInt(n), f: float64(n)}
}

// AtFloat is a limit at a finite float. It panics on any other.
func AtFloat(f float64) Bound {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		panic(errBound)
	}
	d := decimal.NewFromFloat(f)
	b := Bound{set: true, d: d, f: f}
	if d.IsInteger() && d.BigInt().IsInt64() {
		b.whole, b.n = true, d.IntPart()
	}
	return b
}

// IsSet reports whether there is a limit.
func (b Bound) IsSet() bool { return b.set }

// Int returns the limit as a whole number, cut towards zero; 0 for none.
func (b Bound) Int() int64 {
	if b.whole {
		return b.n
	}
	if !b.set {
		return 0
	}
	switch {
	case b.d.GreaterThan(decimal.NewFromInt(math.MaxInt64)):
		return math.MaxInt64
	case b.d.LessThan(decimal.NewFromInt(math.MinInt64)):
		return math.MinInt64
	}
	return b.d.IntPart()
}

// Decimal returns the limit exactly; zero for none.
func (b Bound) Decimal() decimal.Decimal { return b.d }

// Float returns the limit as the float that is nearest to it; zero for none.
func (b Bound) Float() float64 { return b.f }

// String returns the limit as At reads it, "" for none.
func (b Bound) String() string {
	if !b.set {
		return ""
	}
	return b.d.String()
}

// compareInt returns the sign of n minus the limit.
func (b Bound) compareInt(n int64) int {
	if !b.whole {
		return decimal.NewFromInt(n).Cmp(b.d)
	}
	switch {
	case n < b.n:
		return -1
	case n > b.n:
		return 1
	}
	return 0
}

// Compare returns the sign of one limit minus another; both are set.
func (b Bound) Compare(c Bound) int { return b.d.Cmp(c.d) }
