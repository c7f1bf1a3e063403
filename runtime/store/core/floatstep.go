package core

import (
	"math"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// completeFloat is complete for a float. Sums and products of floats are rounded, and never
// change their order by that: the values that fit lie between two, which are searched for.
func (s *step) completeFloat(c *Column, amount float64) (broken string) {
	if !value.Finite(amount) {
		return "is changed by an amount that is not a finite number"
	}
	s.arg = amount + 0
	low, high := c.floatBounds()
	if s.how == store.Multiplied && amount == 0 {
		if low > 0 || high < 0 {
			return "must not become 0"
		}
		return ""
	}
	enters := func(x float64) bool { return stepped(s.how, x, amount) >= low }
	leaves := func(x float64) bool { return stepped(s.how, x, amount) > high }
	if s.how == store.Multiplied && amount < 0 {
		enters = func(x float64) bool { return stepped(s.how, x, amount) <= high }
		leaves = func(x float64) bool { return stepped(s.how, x, amount) < low }
	}
	s.fits = c.floatsBetween(s.col, firstFloat(enters), firstFloat(leaves))
	if s.how == store.Multiplied {
		s.keepFromZero(c, math.Abs(amount))
	}
	return ""
}

// stepped is what a change makes of a value. The conversion keeps a compiler from computing a
// product and the sum around it with more digits than databases do.
func stepped(how store.Change, x, amount float64) float64 {
	if how == store.Multiplied {
		return float64(x*amount) + 0
	}
	return x + amount
}

// floatBounds are what a float column may hold.
func (c *Column) floatBounds() (low, high float64) {
	low, high = -math.MaxFloat64, math.MaxFloat64
	if c.Rules.Min.IsSet() {
		low = c.Rules.Min.Float()
	}
	if c.Rules.Max.IsSet() {
		high = c.Rules.Max.Float()
	}
	return low, high
}

// floatsBetween keeps rows whose value is at least first and less than end; null counts as 0. It
// is nil where every value is.
func (c *Column) floatsBetween(col int, first, end float64) *filter.Node {
	if first >= end {
		return &filter.Node{Op: filter.Not, Kids: []*filter.Node{{Op: filter.All}}}
	}
	both := &filter.Node{Op: filter.And}
	if first > -math.MaxFloat64 {
		both.Kids = append(both.Kids, &filter.Node{Op: filter.Gte, Col: col, Args: []any{first}})
	}
	if !math.IsInf(end, 1) {
		both.Kids = append(both.Kids, &filter.Node{Op: filter.Lt, Col: col, Args: []any{end}})
	}
	switch {
	case len(both.Kids) == 0:
		return nil
	case c.Null && first <= 0 && end > 0:
		return &filter.Node{Op: filter.Or, Kids: []*filter.Node{{Op: filter.Null, Col: col}, both}}
	}
	return both
}

// keepFromZero refuses values whose product is too small for a float: it would be 0, which is an
// error on PostgreSQL alone.
func (s *step) keepFromZero(c *Column, amount float64) {
	least := firstFloat(func(x float64) bool { return x > 0 && x*amount > 0 })
	if least <= math.SmallestNonzeroFloat64 {
		return
	}
	place := func(op filter.Op, v float64) *filter.Node {
		return &filter.Node{Op: op, Col: s.col, Args: []any{v}}
	}
	apart := []*filter.Node{place(filter.Eq, 0), place(filter.Gte, least), place(filter.Lte, -least)}
	if c.Null {
		apart = append(apart, &filter.Node{Op: filter.Null, Col: s.col})
	}
	either := &filter.Node{Op: filter.Or, Kids: apart}
	if s.fits == nil {
		s.fits = either
		return
	}
	s.fits = &filter.Node{Op: filter.And, Kids: []*filter.Node{s.fits, either}}
}

// firstFloat returns the least float for which ok is true, where ok is false up to some float and
// true from it on; infinity where it is never true.
func firstFloat(ok func(float64) bool) float64 {
	if !ok(math.MaxFloat64) {
		return math.Inf(1)
	}
	low, high := FloatPlace(-math.MaxFloat64), FloatPlace(math.MaxFloat64)
	for low < high {
		middle := low + int64((uint64(high)-uint64(low))/2)
		if ok(FloatAt(middle)) {
			high = middle
		} else {
			low = middle + 1
		}
	}
	return FloatAt(low)
}

// FloatPlace numbers the floats in their order, with 0 at 0.
func FloatPlace(f float64) int64 {
	n := int64(math.Float64bits(f))
	if n < 0 {
		return math.MinInt64 - n
	}
	return n
}

// FloatAt is the float with a number.
func FloatAt(n int64) float64 {
	if n < 0 {
		n = math.MinInt64 - n
	}
	return math.Float64frombits(uint64(n))
}

// floatResult is result for a float.
func (s *step) floatResult(c *Column, now any, amount float64) (v any, broken string) {
	old, _ := now.(float64) // null counts as 0
	f := stepped(s.how, old, amount)
	switch {
	case !value.Finite(f):
		return nil, "must be within the range of a 64-bit float"
	case s.how == store.Multiplied && f == 0 && old != 0 && amount != 0:
		broken = "must not come so near to 0 that a 64-bit float cannot be told from it"
		if !c.Rules.Secret {
			broken += ": it is " + check.FloatText(old) + " times " + check.FloatText(amount)
		}
		return nil, broken
	}
	return f, ""
}
