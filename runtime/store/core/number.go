package core

import (
	"fmt"
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// Number is a decimal on its way to a database: Unscaled divided by ten to the
// power of Scale. SQLite keeps Unscaled, the others the text.
type Number struct {
	Unscaled int64
	Scale    int
}

// maxNumber is the largest of 18 digits, which every database keeps exactly.
const maxNumber = 999_999_999_999_999_999

// NumberOf brings d to scale. It fails when digits would be lost.
func NumberOf(d store.Decimal, scale int) (Number, error) {
	if exp := d.Exponent(); exp < -1000 || exp > 1000 {
		return Number{}, fmt.Errorf("store: decimal has an exponent of %d", exp)
	}
	shifted := d.Shift(int32(scale))
	if !shifted.IsInteger() {
		return Number{}, fmt.Errorf("store: decimal has more than %d digits behind the point", scale)
	}
	n := shifted.BigInt()
	if !n.IsInt64() || n.Int64() > maxNumber || n.Int64() < -maxNumber {
		return Number{}, fmt.Errorf("store: decimal has more than 18 digits")
	}
	return Number{Unscaled: n.Int64(), Scale: scale}, nil
}

// Decimal returns the exact value, with Scale digits behind the point.
func (n Number) Decimal() store.Decimal { return decimal.New(n.Unscaled, -int32(n.Scale)) }

// String returns plain digits, "-12.30".
func (n Number) String() string {
	s := strconv.FormatInt(n.Unscaled, 10)
	if n.Scale <= 0 {
		return s
	}
	sign := ""
	if s[0] == '-' {
		sign, s = "-", s[1:]
	}
	if pad := n.Scale + 1 - len(s); pad > 0 {
		s = strings.Repeat("0", pad) + s
	}
	return sign + s[:len(s)-n.Scale] + "." + s[len(s)-n.Scale:]
}

// bound returns the largest unscaled number that is not above d, and whether it
// is d. Beyond what a column can hold, it gives one more than the column's end.
func bound(d store.Decimal, scale int) (floor int64, exact bool) {
	exp := d.Exponent()
	if exp > 1000 || exp < -1000 {
		switch {
		case d.IsZero():
			return 0, true
		case exp > 0 && d.IsPositive():
			return maxNumber + 1, false
		case exp > 0:
			return -maxNumber - 2, false
		case d.IsPositive():
			return 0, false
		}
		return -1, false
	}
	shifted := d.Shift(int32(scale))
	low := shifted.Floor()
	n := low.BigInt()
	switch {
	case n.Cmp(big.NewInt(maxNumber)) > 0:
		return maxNumber + 1, false
	case n.Cmp(big.NewInt(-maxNumber)) < 0:
		return -maxNumber - 2, false
	}
	return n.Int64(), low.Equal(shifted)
}

type decimalField struct {
	p     *store.Decimal
	scale int
}

// DecimalField is a decimal column of a row, with scale digits behind the point.
func DecimalField(p *store.Decimal, scale int) Field { return decimalField{p, scale} }

func (f decimalField) Bind() any {
	n, err := NumberOf(*f.p, f.scale)
	if err != nil {
		return err
	}
	return n
}

func (f decimalField) Scan(src any) error {
	switch s := src.(type) {
	case int64: // unscaled, as SQLite keeps it
		*f.p = Number{s, f.scale}.Decimal()
		return nil
	case string:
		return f.parse(s)
	case []byte:
		return f.parse(string(s))
	case float64: // of an expression in a user's query; SQLite's own division
		if math.IsNaN(s) || math.IsInf(s, 0) {
			return value.CannotAssign(f.p, src)
		}
		*f.p = decimal.NewFromFloat(s).Shift(-int32(f.scale)).Round(int32(f.scale))
		return nil
	}
	return value.CannotAssign(f.p, src)
}

func (f decimalField) parse(s string) error {
	d, err := decimal.NewFromString(s)
	if err != nil {
		return value.Malformed("decimal")
	}
	if n, err := NumberOf(d, f.scale); err == nil {
		d = n.Decimal()
	}
	*f.p = d
	return nil
}

func (f decimalField) normalize() {
	if n, err := NumberOf(*f.p, f.scale); err == nil {
		*f.p = n.Decimal()
	}
}

func (f decimalField) checked() any { return *f.p }

type nullDecimalField struct {
	p     *store.Null[store.Decimal]
	scale int
}

// NullDecimalField is a decimal column that may be NULL.
func NullDecimalField(p *store.Null[store.Decimal], scale int) Field {
	return nullDecimalField{p, scale}
}

func (f nullDecimalField) Bind() any {
	if !f.p.Valid {
		return nil
	}
	return decimalField{&f.p.V, f.scale}.Bind()
}

func (f nullDecimalField) Scan(src any) error {
	if src == nil {
		*f.p = store.Null[store.Decimal]{}
		return nil
	}
	f.p.Valid = true
	return decimalField{&f.p.V, f.scale}.Scan(src)
}

func (f nullDecimalField) normalize() {
	if f.p.Valid {
		decimalField{&f.p.V, f.scale}.normalize()
	}
}

func (f nullDecimalField) checked() any {
	if !f.p.Valid {
		return nil
	}
	return f.p.V
}
