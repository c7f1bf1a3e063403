package store

import (
	"fmt"

	"github.com/shopspring/decimal"
)

// Decimal is an exact number.
type Decimal = decimal.Decimal

// ParseDecimal reads "19.99", "-3" or "1.5e3". What is no number, or has more
// than 1,000 digits on either side of the point, is an error that is ErrInvalid.
func ParseDecimal(s string) (Decimal, error) {
	d, err := decimal.NewFromString(s)
	if err != nil || len(s) > 2000 || d.Exponent() < -1000 || d.Exponent() > 1000 {
		return Decimal{}, fmt.Errorf("store: %w: %.40q is not a decimal such as 19.99", ErrInvalid, s)
	}
	return d, nil
}
