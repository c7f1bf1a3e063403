package evolution_test

import (
	"math/big"
	"regexp"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// What values are as floats, and floats as other values, worked out by exact numbers.

var floatText = regexp.MustCompile(`^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$`)

// asFloat is the float nearest to a value, where the value is what that float is written as.
func asFloat(was *model.Field, text string) (string, bool) {
	digits := len(strings.TrimLeft(unpointed(text), "-"))
	switch was.Storage().Kind {
	case check.Text:
		if len([]rune(text)) > 24 || !floatText.MatchString(text) {
			return "", false
		}
	case check.Decimal:
		if digits > 15 {
			return "", false
		}
	case check.Int:
		n, _ := new(big.Int).SetString(text, 10)
		if n.CmpAbs(big.NewInt(1<<53)) > 0 {
			return "", false
		}
	}
	f, err := strconv.ParseFloat(text, 64)
	return check.FloatText(f), err == nil
}

func floatAsInt(text string) (string, bool) {
	f, ok := new(big.Float).SetString(exactly(text))
	if !ok || !f.IsInt() {
		return "", false
	}
	n, _ := f.Int(nil)
	return n.String(), n.IsInt64()
}

// floatAsDecimal is a decimal of at most 15 digits to which no other float is nearer.
func floatAsDecimal(text string, scale int) (string, bool) {
	f, _ := strconv.ParseFloat(text, 64)
	rounded := strconv.FormatFloat(f, 'f', scale, 64)
	back, _ := strconv.ParseFloat(rounded, 64)
	digits := unpointed(rounded)
	if digits == "0" {
		rounded = pointed("0", scale) // and not -0.00
	}
	return rounded, back == f && len(strings.TrimLeft(digits, "-")) <= 15
}

// exactly writes a float with every digit that it has.
func exactly(text string) string {
	f, _ := strconv.ParseFloat(text, 64)
	return new(big.Float).SetFloat64(f).Text('f', 400)
}
