package store

import (
	"encoding/json"
	"fmt"
	"time"
)

// normalizer is a Field whose value has a stored form of its own.
type normalizer interface{ normalize() }

// checkable is a Field whose rules want another value than Bind gives.
type checkable interface{ checked() any }

// normalize brings values to the form that every database keeps, so that what a
// write returns is what a later read gives.
func normalize(fields []any) {
	for _, f := range fields {
		switch p := f.(type) {
		case *int64, *string, *bool, *Null[string], *Null[int64]:
		case *time.Time:
			*p = Moment(*p)
		case *Null[time.Time]:
			if p.Valid {
				p.V = Moment(p.V)
			}
		case *json.RawMessage:
			*p = documentOf(*p)
		case *[]byte:
			*p = notNil(*p)
		case normalizer:
			p.normalize()
		}
	}
}

// violations checks the columns in only, or every one that is written.
func (t Table[R, ID, N, P]) violations(fields []any, m *Mask, only *columnSet) (found []Violation) {
	first := len(t.s.Columns) - len(t.st.insertAll)
	for i := first; i < len(fields); i++ {
		col := &t.s.Columns[i]
		switch {
		case m.nulled.has(i):
			found = append(found, Violation{col.Name, "null", "cannot be null"})
		case only != nil && !only.has(i):
		default:
			found = col.check(fields[i], found)
		}
	}
	return found
}

func (c *Column) check(field any, found []Violation) []Violation {
	v, err := checkedValue(field)
	if err != nil {
		return append(found, Violation{c.Name, "value", "cannot be stored: " + err.Error()})
	}
	if rule, message := unstorable(v); rule != "" {
		return append(found, Violation{c.Name, rule, message})
	}
	if v == nil && !c.Null {
		return append(found, Violation{c.Name, "null", "cannot be null"})
	}
	for _, f := range c.Rules.Check(v) {
		found = append(found, Violation{c.Name, f.Rule, f.Message})
	}
	return found
}

func checkedValue(field any) (any, error) {
	if c, ok := field.(checkable); ok {
		return c.checked(), nil
	}
	v, err := Plain(field)
	if doc, ok := v.(json.RawMessage); ok {
		return []byte(doc), err
	}
	return v, err
}

// unstorable holds the rules that databases have and definitions do not.
func unstorable(v any) (rule, message string) {
	switch x := v.(type) {
	case time.Time:
		if y := x.Year(); y < 1 || y > 9999 {
			return "year", fmt.Sprintf("has the year %d; years go from 1 to 9999", y)
		}
	case Date:
		if !x.Valid() {
			return "date", "is not a day of the calendar"
		}
	}
	return "", ""
}
