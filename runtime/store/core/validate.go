package core

import (
	"encoding/json"
	"errors"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// normalizer is a Field whose value has a stored form of its own.
type normalizer interface{ normalize() }

// memberNormalizer is a Field that holds a struct, whose members may be declared.
type memberNormalizer interface{ normalizeMembers() }

// checkable is a Field whose rules want another value than Bind gives.
type checkable interface{ checked() any }

// normalize brings values to the form that every database keeps, so that what a
// write returns is what a later read gives.
func (s *Spec) normalize(fields []any) {
	for i, f := range fields {
		switch p := f.(type) {
		case *int64, *string, *bool, *store.Null[string], *store.Null[int64]:
		case *float64:
			*p += 0 // no zero has a sign
		case *store.Null[float64]:
			p.V += 0
		case *time.Time:
			*p = Moment(*p)
		case *store.Null[time.Time]:
			if p.Valid {
				p.V = Moment(p.V)
			}
		case *[]byte:
			*p = value.NotNil(*p)
		case normalizer:
			p.normalize()
		case memberNormalizer:
			if len(s.Columns[i].Rules.Fields) > 0 { // a type of the program's own is left alone
				p.normalizeMembers()
			}
		}
	}
}

// violations checks the columns in only, or every one that is written, and puts
// what is to be bound into sc.vals, by column.
func (a access) violations(sc *scratch, m *Mask, only *columnSet) (found []store.Violation) {
	first := len(a.s.Columns) - len(a.st.insertAll)
	sc.vals = append(sc.vals[:0], make([]any, len(sc.dest))...)
	for i := first; i < len(sc.dest); i++ {
		col := &a.s.Columns[i]
		switch {
		case m.nulled.has(i):
			found = append(found, store.Violation{Field: col.Name, Rule: "null", Message: "cannot be null"})
		case only != nil && !only.has(i):
		default:
			found = col.check(sc.dest[i], &sc.vals[i], found)
			if id, ok := sc.vals[i].(string); ok && i == 0 && !validULID(id) {
				found = append(found, store.Violation{Field: col.Name, Rule: "ulid", Message: "must be a ULID, 26 letters and digits"})
			}
		}
	}
	return found
}

// check adds the rules that a field's value breaks, and gives the plain value.
func (c *Column) check(field any, val *any, found []store.Violation) []store.Violation {
	v, err := Plain(field)
	*val = v
	switch f := field.(type) { // a decimal or a float that cannot be stored breaks a rule that says why
	case checkable:
		v, err = f.checked(), nil
	case *float64:
		v, err = *f, nil
	case *store.Null[float64]:
		if f.Valid {
			v, err = f.V, nil
		}
	}
	if fault, ok := errors.AsType[*textFault](err); ok {
		return append(found, fault.violation(c.Name))
	}
	switch {
	case err != nil:
		return append(found, store.Violation{Field: c.Name, Rule: "value", Message: "cannot be stored: " + err.Error()})
	case v == nil && !c.Null:
		return append(found, store.Violation{Field: c.Name, Rule: "null", Message: "cannot be null"})
	}
	if doc, ok := v.(json.RawMessage); ok {
		v = []byte(doc)
	}
	for _, f := range c.Rules.Check(v) {
		found = append(found, store.Violation{Field: c.Name, Rule: f.Rule, Message: f.Message})
	}
	return found
}
