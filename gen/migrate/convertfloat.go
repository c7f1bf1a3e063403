package migrate

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// floatDigits is how many digits of a decimal a float always keeps.
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

// textFloat reads the text of a float, with an exponent of two digits at most, so that no database
// meets a number beyond its range.
func textFloat(_, _ *model.Field) conversion {
	const number = "-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][-+]?[0-9]{1,2})?"
	return conversion{
		value: [3]string{"CAST(%[1]s AS REAL)", "%[1]s::double precision + 0", "CAST(%[1]s AS DOUBLE) + 0"}, // no zero with a sign
		misfit: [3]string{
			"(length(%[1]s) > 24 OR %[1]s NOT GLOB '[-0-9]*' OR %[1]s NOT GLOB '*[0-9]' OR NOT json_valid(%[1]s) OR %[1]s GLOB '*[eE]*[0-9][0-9][0-9]')",
			"(length(%[1]s) > 24 OR %[1]s !~ " + wholePostgres(number) + ")", "(CHAR_LENGTH(%[1]s) > 24 OR %[1]s NOT REGEXP " + wholeMySQL(number) + ")",
		},
		because: "is not a number such as -1.5 or 2e-7, of at most 24 characters",
	}
}

// floatText writes the shortest text that is read as the same float again, as check.FloatText does. Each database
// would write one in its own way: PostgreSQL an exponent from 1e15 on, MySQL none below 1e-6, SQLite fifteen digits.
func floatText(_, _ *model.Field) conversion {
	return conversion{
		value: [3]string{
			sqltext.SQLite:   template(floatTextSQLite),
			sqltext.Postgres: "CASE WHEN %[1]s = 0 OR abs(%[1]s) >= 1e-6 AND abs(%[1]s) < 1e21 THEN %[1]s::text::numeric::text ELSE %[1]s::text END",
			sqltext.MySQL:    template(floatTextMySQL),
		},
		misfit:  [3]string{sqltext.Postgres: "(%[1]s::text::double precision <> %[1]s)"},
		because: "would lose digits, as extra_float_digits of this database is less than 1",
	}
}

// floatTextSQLite finds the fewest digits that are read as the float, and then writes them with a point
// or an exponent. It names no column of the row but VALUE, as its subqueries have columns of their own.
const floatTextSQLite = `CASE WHEN VALUE = 0 THEN '0' WHEN VALUE IS NOT NULL THEN (
  SELECT sign || CASE
    WHEN e < -6 OR e > 20 THEN substr(d, 1, 1) || CASE WHEN length(d) > 1 THEN '.' || substr(d, 2) ELSE '' END || printf('e%+03d', e)
    WHEN e < 0 THEN '0.' || substr('00000', 1, -e - 1) || d
    WHEN length(d) <= e THEN d || substr('00000000000000000000', 1, e + 1 - length(d))
    WHEN length(d) = e + 1 THEN d
    ELSE substr(d, 1, e + 1) || '.' || substr(d, e + 2) END
  FROM (
    SELECT CASE WHEN text LIKE '-%' THEN '-' ELSE '' END AS sign, CAST(substr(text, instr(text, 'e') + 1) AS INTEGER) AS e,
      rtrim(replace(ltrim(substr(text, 1, instr(text, 'e') - 1), '-'), '.', ''), '0') AS d
    FROM (
      SELECT coalesce((
        SELECT printf('%!.*e', modulagen_digits, VALUE) FROM (SELECT value AS modulagen_digits FROM json_each('[0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15]'))
        WHERE CAST(printf('%!.*e', modulagen_digits, VALUE) AS REAL) = VALUE ORDER BY modulagen_digits LIMIT 1), printf('%!.16e', VALUE)) AS text))) END`

// floatTextMySQL has a decimal write what has no exponent, and an exponent written in two digits at least.
const floatTextMySQL = `CASE WHEN VALUE = 0 OR ABS(VALUE) >= 1e-6 AND ABS(VALUE) < 1e21
    THEN TRIM(TRAILING '.' FROM TRIM(TRAILING '0' FROM CAST(CAST(CAST(VALUE AS CHAR) AS DECIMAL(65, 30)) AS CHAR)))
  WHEN CAST(VALUE AS CHAR) LIKE '%e%'
    THEN CONCAT(SUBSTRING_INDEX(CAST(VALUE AS CHAR), 'e', 1), IF(ABS(VALUE) < 1, 'e-', 'e+'), IF(CAST(VALUE AS CHAR) REGEXP 'e[-+]?[0-9]$', '0', ''),
      TRIM(LEADING '+' FROM TRIM(LEADING '-' FROM SUBSTRING_INDEX(CAST(VALUE AS CHAR), 'e', -1))))
  ELSE CONCAT(IF(VALUE < 0, '-', ''), LEFT(TRIM(LEADING '0' FROM SUBSTRING_INDEX(CAST(VALUE AS CHAR), '.', -1)), 1),
    IF(CHAR_LENGTH(TRIM(LEADING '0' FROM SUBSTRING_INDEX(CAST(VALUE AS CHAR), '.', -1))) > 1, '.', ''),
    SUBSTRING(TRIM(LEADING '0' FROM SUBSTRING_INDEX(CAST(VALUE AS CHAR), '.', -1)), 2), 'e-',
    LPAD(CHAR_LENGTH(SUBSTRING_INDEX(CAST(VALUE AS CHAR), '.', -1)) - CHAR_LENGTH(TRIM(LEADING '0' FROM SUBSTRING_INDEX(CAST(VALUE AS CHAR), '.', -1))) + 1, 2, '0')) END`

// template makes the text of a conversion of SQL in which VALUE stands for the column.
func template(sql string) string {
	return strings.ReplaceAll(strings.ReplaceAll(sql, "%", "%%"), "VALUE", "%[1]s")
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
