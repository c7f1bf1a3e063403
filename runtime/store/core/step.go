package core

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/big"
	"strconv"
	"unicode/utf8"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// step is a change of a column by the value that a row has when it is written.
type step struct {
	relative

	arg  any          // the amount, as a statement takes it
	fits *filter.Node // what the value that is there must meet, so that the new one keeps the rules; nil: nothing
}

// fits are the conditions of a patch on the values that are there.
func (p *patch) fits() []*filter.Node {
	var all []*filter.Node
	for i := range p.steps {
		if f := p.steps[i].fits; f != nil {
			all = append(all, f)
		}
	}
	return all
}

// steps reads the relative changes of a patch. What no value that is there can make right is a
// violation.
func (a access) steps(m *Mask) (steps []step, found []store.Violation) {
	for _, r := range m.relative {
		col := &a.s.Columns[r.col]
		s := step{relative: r}
		broken := col.stepRules(r.how)
		if broken == "" {
			broken = s.complete(col)
		}
		if broken != "" {
			found = append(found, store.Violation{Field: col.Name, Rule: "change", Message: broken})
			continue
		}
		steps = append(steps, s)
	}
	return steps, found
}

// stepRules says why a column's rules cannot be held in a statement.
func (c *Column) stepRules(how store.Change) string {
	r := &c.Rules
	whole := r.Pattern != "" || r.Format != "" || r.Options != nil || len(r.Rules) > 0
	if !whole {
		return ""
	}
	word := map[store.Change]string{store.Added: "added to", store.Multiplied: "multiplied", store.Appended: "appended to"}[how]
	return "cannot be " + word + " in the statement, because it has rules that only the program checks: read the row with GetForUpdate, and set the new value"
}

// complete fills in what a statement needs; it says what is wrong with the amount.
func (s *step) complete(c *Column) (broken string) {
	if text, ok := s.amount.(string); ok {
		return s.completeText(c, text)
	}
	if amount, ok := s.amount.(float64); ok {
		return s.completeFloat(c, amount)
	}
	scale := c.scale()
	amount, err := units(s.amount, scale)
	if err != nil {
		return err.Error()
	}
	s.arg = c.number(amount)
	if s.how == store.Multiplied {
		s.arg = amount.Int64()
	}
	low, high := c.bounds()
	least, most := new(big.Int), new(big.Int)
	switch {
	case s.how == store.Added:
		least.Sub(low, amount)
		most.Sub(high, amount)
	case amount.Sign() == 0:
		if low.Sign() > 0 || high.Sign() < 0 {
			return "must not become 0"
		}
		return ""
	default:
		if amount.Sign() < 0 {
			low, high = high, low
		}
		least, most = ceilDiv(low, amount), floorDiv(high, amount)
	}
	s.fits = c.between(s.col, least, most)
	return ""
}

func (s *step) completeText(c *Column, text string) (broken string) {
	if c.storableText(text) != nil {
		return "cannot hold what is appended, which is not UTF-8 or has a NUL byte"
	}
	s.arg = text
	least, most := int64(0), int64(math.MaxInt32) // which is as much as a length can be on PostgreSQL
	if c.Rules.Required {
		least = 1
	}
	if c.Rules.Min.IsSet() {
		least = max(least, c.Rules.Min.Int())
	}
	if c.Rules.Max.IsSet() {
		most = min(most, c.Rules.Max.Int())
	}
	more := int64(utf8.RuneCountInString(text))
	least, most = max(least-more, 0), most-more
	if most < 0 {
		return fmt.Sprintf("must be at most %d characters, and %d are appended", most+more, more)
	}
	fits := &filter.Node{Op: filter.Length, Col: s.col, Args: []any{least, most}}
	if c.Null && least == 0 {
		fits = &filter.Node{Op: filter.Or, Kids: []*filter.Node{{Op: filter.Null, Col: s.col}, fits}}
	}
	s.fits = fits
	return ""
}

// scale is how many digits a number column has behind the point.
func (c *Column) scale() int {
	if c.Rules.Kind == check.Decimal {
		return c.Rules.Scale
	}
	return 0
}

// number is an amount in units of a column's last digit, as a statement or a filter takes it.
func (c *Column) number(n *big.Int) any {
	if c.Rules.Kind == check.Decimal {
		return Number{n.Int64(), c.Rules.Scale}
	}
	return n.Int64()
}

var (
	minInt, maxInt = big.NewInt(math.MinInt64), big.NewInt(math.MaxInt64)
	errUnits       = errors.New("is no number")
)

// units are a value of a number column in units of its last digit.
func units(v any, scale int) (*big.Int, error) {
	switch n := v.(type) {
	case nil:
		return new(big.Int), nil // as COALESCE has it
	case int64:
		return big.NewInt(n), nil
	case Number:
		return big.NewInt(n.Unscaled), nil
	case store.Decimal:
		d, err := NumberOf(n, scale)
		if err != nil {
			return nil, fmt.Errorf("is changed by an amount that has more than %d digits, or more than %d behind the point", check.MaxDigits, scale)
		}
		return big.NewInt(d.Unscaled), nil
	}
	return nil, errUnits
}

// bounds are what a number column may hold, in units of its last digit.
func (c *Column) bounds() (low, high *big.Int) {
	low, high = minInt, maxInt
	if c.Rules.Kind == check.Decimal {
		low, high = big.NewInt(-maxNumber), big.NewInt(maxNumber)
	}
	scale := int32(c.scale())
	if b := c.Rules.Min; b.IsSet() {
		low = larger(low, b.Decimal().Shift(scale).Ceil().BigInt())
	}
	if b := c.Rules.Max; b.IsSet() {
		high = smaller(high, b.Decimal().Shift(scale).Floor().BigInt())
	}
	return low, high
}

func larger(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return a
	}
	return b
}

func smaller(a, b *big.Int) *big.Int {
	if a.Cmp(b) < 0 {
		return a
	}
	return b
}

// floorDiv and ceilDiv divide, and round down and up.
func floorDiv(a, b *big.Int) *big.Int {
	q, r := new(big.Int).QuoRem(a, b, new(big.Int))
	if r.Sign() != 0 && (r.Sign() < 0) != (b.Sign() < 0) {
		q.Sub(q, big.NewInt(1))
	}
	return q
}

func ceilDiv(a, b *big.Int) *big.Int {
	q := floorDiv(new(big.Int).Neg(a), b)
	return q.Neg(q)
}

// between keeps rows whose value is in a range; null counts as 0. It is nil where every value is.
func (c *Column) between(col int, least, most *big.Int) *filter.Node {
	first, last := minInt, maxInt
	if c.Rules.Kind == check.Decimal {
		first, last = big.NewInt(-maxNumber), big.NewInt(maxNumber)
	}
	if least.Cmp(most) > 0 || least.Cmp(last) > 0 || most.Cmp(first) < 0 {
		return &filter.Node{Op: filter.Not, Kids: []*filter.Node{{Op: filter.All}}}
	}
	both := &filter.Node{Op: filter.And}
	if least.Cmp(first) > 0 {
		both.Kids = append(both.Kids, &filter.Node{Op: filter.Gte, Col: col, Args: []any{c.number(least)}})
	}
	if most.Cmp(last) < 0 {
		both.Kids = append(both.Kids, &filter.Node{Op: filter.Lte, Col: col, Args: []any{c.number(most)}})
	}
	switch {
	case len(both.Kids) == 0:
		return nil
	case c.Null && least.Sign() <= 0 && most.Sign() >= 0:
		return &filter.Node{Op: filter.Or, Kids: []*filter.Node{{Op: filter.Null, Col: col}, both}}
	}
	return both
}

// step writes the new value of a column.
func (b *builder) step(s *step) {
	old := b.quoted[s.col]
	text := s.how == store.Appended
	if b.cols[s.col].Null {
		zero := "0"
		if text {
			zero = "''"
		}
		old = "COALESCE(" + old + ", " + zero + ")"
	}
	switch {
	case text && b.d == sqltext.MySQL:
		b.write("CONCAT(", old, ", ")
		b.bind(s.arg)
		b.write(")")
		return
	case text:
		b.write(old, " || ")
	case s.how == store.Multiplied:
		b.write(old, " * ")
	default:
		b.write(old, " + ")
	}
	if n, ok := s.arg.(Number); ok && b.d == sqltext.MySQL { // a text would be added as a float
		b.write("CAST(")
		b.bind(s.arg)
		b.write(" AS DECIMAL(", strconv.Itoa(check.MaxDigits), ", ", strconv.Itoa(n.Scale), "))")
		return
	}
	b.bind(s.arg)
	if _, ok := s.arg.(float64); ok && s.how == store.Multiplied {
		b.write(" + 0") // makes 0 of the zero with a sign
	}
}

// fitting refuses rows, which are locked, of which a step would make something that breaks a rule.
func (a access) fitting(ctx context.Context, where *filter.Node, steps []step) error {
	p := patch{steps: steps}
	fits := p.fits()
	if len(fits) == 0 {
		return nil
	}
	none := &filter.Node{Op: filter.Not, Kids: []*filter.Node{{Op: filter.And, Kids: fits}}}
	b := a.builder()
	b.write(a.st.selectAll)
	b.where(&filter.Node{Op: filter.And, Kids: []*filter.Node{where, none}}, nil)
	b.write("\nORDER BY id\nLIMIT 1")
	row := a.s.Row()
	err := a.oneOf(ctx, b, row)
	if errors.Is(err, store.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	found := a.broken(steps, row)
	for i := range found {
		found[i].Message += fmt.Sprintf(" (of the row %v)", a.idOf(row))
	}
	return &store.ValidationError{Datatype: a.s.Name, Violations: found}
}

// broken returns the rules that steps on a row would break.
func (a access) broken(steps []step, row any) (found []store.Violation) {
	places := a.s.Fields(row, nil)
	for i := range steps {
		s := &steps[i]
		col := &a.s.Columns[s.col]
		now, err := Plain(places[s.col])
		if err != nil {
			continue // the row was read from the database
		}
		result, rule := s.result(col, now)
		if rule != "" {
			found = append(found, store.Violation{Field: col.Name, Rule: "range", Message: rule})
			continue
		}
		for _, f := range col.Rules.Check(result) {
			found = append(found, store.Violation{Field: col.Name, Rule: f.Rule, Message: f.Message})
		}
	}
	return found
}

// result is what a step makes of a value, as Rules.Check takes it; or why there is no such value.
func (s *step) result(c *Column, now any) (v any, broken string) {
	if text, ok := s.amount.(string); ok {
		old, _ := now.(string)
		return old + text, ""
	}
	if amount, ok := s.amount.(float64); ok {
		return s.floatResult(c, now, amount)
	}
	old, err := units(now, c.scale())
	if err != nil {
		return nil, err.Error()
	}
	amount, err := units(s.amount, c.scale())
	if err != nil {
		return nil, err.Error()
	}
	if s.how == store.Multiplied {
		old.Mul(old, amount)
	} else {
		old.Add(old, amount)
	}
	if !old.IsInt64() {
		broken = "must be a number of 64 bits"
		if !c.Rules.Secret {
			broken += ", not " + old.String()
		}
		return nil, broken
	}
	if c.Rules.Kind == check.Decimal {
		return Number{old.Int64(), c.Rules.Scale}.Decimal(), ""
	}
	return old.Int64(), ""
}
