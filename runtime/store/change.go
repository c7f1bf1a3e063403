package store

// Add returns a change of a number for a patch: n is added to the value that the row has when it is
// written, so that no write between a read and this one is lost. Null counts as 0. A sum that breaks
// a rule of the field, or that is no 64-bit number, is a *ValidationError, and nothing is changed.
// In a new row, which has no value yet, it is a *ValidationError too.
//
//	db.Link.Update(ctx, id, generated.LinkPatch{Clicks: store.Add(1)})
func Add(n int64) Opt[int64] { return Opt[int64]{v: n, state: optAdd} }

// AddDecimal is Add for a decimal. An amount with more digits behind the point than the field has
// is a *ValidationError.
func AddDecimal(d Decimal) Opt[Decimal] { return Opt[Decimal]{v: d, state: optAdd} }

// AddFloat is Add for a float. A sum that is too large for one is a *ValidationError.
func AddFloat(f float64) Opt[float64] { return Opt[float64]{v: f, state: optAdd} }

// MulFloat is Mul for a float. A product that is too large for one is a *ValidationError, and so is
// one of numbers other than 0 that is too small to differ from 0.
func MulFloat(f float64) Opt[float64] { return Opt[float64]{v: f, state: optMul} }

// Mul is Add with a product in place of the sum.
func Mul(n int64) Opt[int64] { return Opt[int64]{v: n, state: optMul} }

// Append returns a change of a text for a patch: s is put behind the text that the row has when it
// is written. Null counts as empty. A text that becomes longer than the field's max is a
// *ValidationError, and nothing is changed. A field with rules for the text as a whole (a pattern,
// a format, a validation) refuses it.
func Append(s string) Opt[string] { return Opt[string]{v: s, state: optAppend} }

// Change is how a patch comes by the new value of a column.
type Change uint8

// The changes. Assigned is also that of an Opt that is unset or null.
const (
	Assigned Change = iota
	Added
	Multiplied
	Appended
)

// Relative returns what a change of the value that is there adds, multiplies by or appends;
// Assigned for all else. Generated code uses it.
func (o Opt[T]) Relative() (amount T, how Change) {
	switch o.state {
	case optAdd:
		return o.v, Added
	case optMul:
		return o.v, Multiplied
	case optAppend:
		return o.v, Appended
	}
	return amount, Assigned
}
