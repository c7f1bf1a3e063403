package migrate

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// How values become floats, and floats other values. A float is never written as text: each
// database writes one in its own way.

// floatDigits are the digits of a decimal that a float always keeps.
const floatDigits = 15

// intFloat keeps whole numbers up to 2^53, beyond which floats leave some out.
func intFloat(_, _ *model.Field) conversion {
	const exact = 1 << 53
	return conversion{
		value:   [3]string{"CAST(%[1]s AS REAL)", "%[1]s::double precision", ""},
		misfit:  all(fmt.Sprintf("(%%[1]s > %d OR %%[1]s < -%d)", exact, exact)),
		because: "is beyond 2^53, where a float does not keep every whole number",
	}
}

func decimalFloat(before, _ *model.Field) conversion {
	most := tooLarge(power(floatDigits - before.Scale))
	return conversion{
		value:   [3]string{fmt.Sprintf("CAST(%%[1]s AS REAL) / %d.0", power(before.Scale)), "%[1]s::double precision", ""},
		misfit:  [3]string{tooLarge(power(floatDigits)), most, most},
		because: fmt.Sprintf("has more than %d digits, of which a float does not keep every one", floatDigits),
	}
}

// textFloat reads what a float is written as, with an exponent of two digits at most, so that
// no database meets a number that is beyond its range.
func textFloat(_, _ *model.Field) conversion {
	const number = "'^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]{1,2})?$'"
	return conversion{
		value: [3]string{"CAST(%[1]s AS REAL)", "%[1]s::double precision + 0", "CAST(%[1]s AS DOUBLE) + 0"}, // no zero with a sign
		misfit: [3]string{
			"(length(%[1]s) > 24 OR %[1]s NOT GLOB '[-0-9]*' OR %[1]s NOT GLOB '*[0-9]' OR NOT json_valid(%[1]s) OR %[1]s GLOB '*[eE]*[0-9][0-9][0-9]')",
			"(length(%[1]s) > 24 OR %[1]s !~ " + number + ")", "(CHAR_LENGTH(%[1]s) > 24 OR %[1]s NOT REGEXP " + number + ")",
		},
		because: "is not a number such as -1.5 or 2e-7, of at most 24 characters",
	}
}

// floatInt compares with 2^63, which is a float; the greatest number of 64 bits is none.
func floatInt(_, _ *model.Field) conversion {
	const beyond = " OR %[1]s >= 9223372036854775808.0 OR %[1]s < -9223372036854775808.0)"
	return conversion{
		value: [3]string{"CAST(%[1]s AS INTEGER)", "%[1]s::bigint", "CAST(%[1]s AS SIGNED)"},
		misfit: [3]string{
			"(%[1]s <> CAST(CAST(%[1]s AS INTEGER) AS REAL)" + beyond, "(%[1]s <> floor(%[1]s)" + beyond, "(%[1]s <> FLOOR(%[1]s)" + beyond,
		},
		because: "is not a whole number of 64 bits",
	}
}

// floatDecimal keeps floats that are the nearest to a decimal of so many digits.
func floatDecimal(_, now *model.Field) conversion {
	s, most := now.Scale, tooLarge(power(floatDigits-now.Scale))
	value := [3]string{
		fmt.Sprintf("CAST(round(%%[1]s * %d.0) AS INTEGER)", power(s)),
		fmt.Sprintf("round(%%[1]s::numeric, %d)", s),
		fmt.Sprintf("CAST(%%[1]s AS DECIMAL(%d, %d))", check.MaxDigits, s),
	}
	back := [3]string{
		sqltext.SQLite:   fmt.Sprintf("CAST(%s AS REAL) / %d.0", value[sqltext.SQLite], power(s)),
		sqltext.Postgres: value[sqltext.Postgres] + "::double precision",
		sqltext.MySQL:    value[sqltext.MySQL],
	}
	c := conversion{value: value, because: fmt.Sprintf("has more than %d digits behind the point, or more than %d in all", s, floatDigits)}
	for d := range c.misfit {
		c.misfit[d] = strings.TrimSuffix(most, ")") + " OR %[1]s <> " + back[d] + ")"
	}
	return c
}
