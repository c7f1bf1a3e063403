package scheduler

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"reflect"
	"slices"
	"strconv"
	"time"

	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// declaration is what was declared of a job, by what the columns are for. Numbers are json.Number:
// those of a configuration are written as they were declared, however many digits they have.
type declaration map[string]any

// declarations are those of a program.
type declarations struct {
	*Spec
	byName  map[string]declaration
	initial any // a row without any values, with the defaults
}

// What the columns that Sync itself knows are for.
const (
	nameRole     = "name"
	enabledRole  = "enabled"
	declaredRole = "declared"
)

func (s *Spec) declarations(db *core.DB, jobs []Declared) (*declarations, error) {
	if _, ok := s.Columns[declaredRole]; !ok {
		return nil, fmt.Errorf("cron: %s has no column for what is declared of a job", s.Jobs)
	}
	d := &declarations{Spec: s, byName: map[string]declaration{}, initial: s.Rows.Row()}
	var m core.Mask
	s.Rows.New(s.Blank(), d.initial, &m, db.Clock())
	for _, j := range jobs {
		of, err := parseDeclaration([]byte(j.Values))
		if err != nil {
			return nil, fmt.Errorf("cron: the declared job %s: %w", j.Name, err)
		}
		of[nameRole] = j.Name
		d.byName[j.Name] = of
	}
	return d, nil
}

var errNoObject = errors.New("is no JSON object")

func parseDeclaration(text []byte) (declaration, error) {
	v, err := document(text)
	if err != nil {
		return nil, err
	}
	of, ok := v.(map[string]any)
	if !ok {
		return nil, errNoObject
	}
	return of, nil
}

func document(text []byte) (v any, err error) {
	in := json.NewDecoder(bytes.NewReader(text))
	in.UseNumber()
	err = in.Decode(&v)
	return v, err
}

// last returns what was declared of a job last; nil where it was not declared. What SQL has put
// in place of that is no declaration: what the row has is an operator's.
func (d *declarations) last(row any) declaration {
	text, _ := plainOf(d.Rows.Fields(row, nil)[d.Columns[declaredRole]]).(json.RawMessage)
	of, err := parseDeclaration(text)
	if err != nil {
		return nil
	}
	return of
}

func (d *declarations) name(row any) string {
	name, _ := d.value(row, nameRole).(string)
	return name
}

// declare adds to what is set that a declaration was the last.
func (d *declarations) declare(set core.Assignments, now declaration) (core.Assignments, error) {
	text, err := json.Marshal(now)
	return append(set, core.Assignment{Column: d.Columns[declaredRole], Value: text}), err
}

// roles returns what two declarations are about, in order.
func roles(a, b declaration) []string {
	all := maps.Clone(b)
	maps.Copy(all, a)
	return slices.Sorted(maps.Keys(all))
}

// of returns what a declaration says of a column, and the column's default where it says nothing.
func (d *declarations) of(is declaration, role string) any {
	v, ok := is[role]
	if !ok {
		return d.value(d.initial, role)
	}
	if at, ok := v.(string); ok && d.kind(role) == check.Time {
		if t, err := time.Parse(time.RFC3339Nano, at); err == nil {
			return core.FormatTime(core.Moment(t))
		}
	}
	return v
}

// kind returns what a column holds; 0 where the datatype has had the field, and has it no more.
func (d *declarations) kind(role string) check.Kind {
	column, ok := d.Columns[role]
	if !ok {
		return 0
	}
	return d.Rows.Columns[column].Rules.Kind
}

// value returns what a row holds, as a declaration would have it.
func (d *declarations) value(row any, role string) any {
	column, ok := d.Columns[role]
	if !ok {
		return nil
	}
	switch v := plainOf(d.Rows.Fields(row, nil)[column]).(type) {
	case time.Time:
		return core.FormatTime(v)
	case json.RawMessage:
		doc, err := document(v)
		if err != nil {
			return string(v) // which is not what was declared
		}
		return doc
	default:
		return v
	}
}

func plainOf(place any) any {
	v, err := core.Plain(place)
	if err != nil {
		return nil // which no row that was read has
	}
	return v
}

// set adds that a column becomes what is declared.
func (d *declarations) set(set core.Assignments, role string, v any) (core.Assignments, error) {
	column, ok := d.Columns[role]
	if !ok {
		return set, nil
	}
	switch kind := d.kind(role); {
	case v == nil:
	case kind == check.JSON:
		text, err := json.Marshal(v)
		if err != nil {
			return nil, err
		}
		v = text
	case kind == check.Int:
		n, ok := canonical(v).(int64)
		if !ok {
			return nil, fmt.Errorf("cron: %s: %v is no whole number", role, v)
		}
		v = n
	case kind == check.Time:
		at, err := time.Parse(time.RFC3339Nano, fmt.Sprint(v))
		if err != nil {
			return nil, fmt.Errorf("cron: %s: %w", role, err)
		}
		v = at
	}
	return append(set, core.Assignment{Column: column, Value: v}), nil
}

// same reports whether two values are the same to every database: one that keeps JSON in a form of
// its own returns other spaces, another order of keys, and numbers such as 100.0 for 1e2.
func same(a, b any) bool { return reflect.DeepEqual(canonical(a), canonical(b)) }

// maxExact is below which a float is exact where it is whole.
const maxExact = 1 << 53

func canonical(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := strconv.ParseInt(v.String(), 10, 64); err == nil {
			return n
		}
		f, err := v.Float64()
		switch {
		case err != nil:
			return v.String()
		case f == math.Trunc(f) && math.Abs(f) < maxExact:
			return int64(f)
		}
		return f
	case []any:
		out := make([]any, len(v))
		for i, e := range v {
			out[i] = canonical(e)
		}
		return out
	case map[string]any:
		out := make(map[string]any, len(v))
		for key, e := range v {
			out[key] = canonical(e)
		}
		return out
	}
	return v
}
