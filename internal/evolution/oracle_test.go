package evolution_test

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// moment stands for the time of the migration.
var moment = some("the moment of the migration")

// expectation is what a migration has to make of rows.
type expectation struct {
	rows    contents
	misfits map[string]map[string]bool // ids of rows that do not fit, by table of before
}

func (e *expectation) misfit(table, id string) {
	if e.misfits[table] == nil {
		e.misfits[table] = map[string]bool{}
	}
	e.misfits[table][id] = true
}

// expect works out, from the definitions alone, what becomes of rows.
func expect(before, after *version, has contents) *expectation {
	e := &expectation{rows: contents{}, misfits: map[string]map[string]bool{}}
	for _, d := range after.Datatypes {
		old := oldTable(before, after, d)
		if old == nil {
			continue
		}
		for _, r := range has[old.Name] {
			now := row{"id": r["id"]}
			for _, f := range d.Fields {
				v, ok := e.column(before, after, has, old, d, f, r)
				if !ok {
					e.misfit(old.Name, r.id())
				}
				now[f.Name] = v
			}
			e.rows[d.Name] = append(e.rows[d.Name], now)
		}
		e.unique(d, old)
		e.held(d, old, has[old.Name])
		e.unclaimed(d, old, has[old.Name])
	}
	return e
}

// unique finds rows that a unique index of now refuses beside others.
func (e *expectation) unique(d, old *model.Datatype) {
	for i, r := range e.rows[d.Name] {
		if duplicate(d, r, e.rows[d.Name][:i]) {
			e.misfit(old.Name, r.id())
		}
	}
}

// held finds rows that wait for what no program knows any more.
func (e *expectation) held(d, old *model.Datatype, rows []row) {
	for _, h := range old.Held {
		var known []string
		for _, n := range d.Held {
			if f := field(d, n.Field.Name); f != nil && oldName(old, f) == h.Field.Name {
				known = append(known, n.Values...)
			}
		}
		for _, r := range rows {
			if v := r[h.Field.Name]; v != nil && slices.Contains(h.Values, *v) && !slices.Contains(known, *v) && holdsAll(h.While, r) {
				e.misfit(old.Name, r.id())
			}
		}
	}
}

// unclaimed finds rows that a section which is new would take for its own. Only fields of the same name say
// which they are here.
func (e *expectation) unclaimed(d, old *model.Datatype, rows []row) {
	for _, u := range d.Unclaimed {
		if oldName(old, u.With) != "" {
			continue
		}
		for _, r := range rows {
			if holdsAll(u.Rows, r) {
				e.misfit(old.Name, r.id())
			}
		}
	}
}

// oldTable is the table that a datatype was.
func oldTable(before, after *version, d *model.Datatype) *model.Datatype {
	if d.AddedFor != "" {
		owner := after.datatype(d.AddedFor)
		if was := oldTable(before, after, owner); was != nil && strings.HasPrefix(d.Name, owner.Name) {
			if o := before.datatype(was.Name + strings.TrimPrefix(d.Name, owner.Name)); o != nil && o.AddedFor != "" {
				return o
			}
		}
		if o := before.datatype(d.Name); o != nil && o.AddedFor != "" {
			return o
		}
		return nil
	}
	same := before.datatype(d.Name)
	if d.Was != "" && before.datatype(d.Was) != nil && (same == nil || same.Was != d.Was) {
		return before.datatype(d.Was)
	}
	taken := slices.ContainsFunc(after.Datatypes, func(o *model.Datatype) bool {
		was := before.datatype(o.Name)
		return o != d && o.Was == d.Name && (was == nil || was.Was != o.Was)
	})
	if taken {
		return nil
	}
	return same
}

// oldName is the name that a field had; empty: it is new.
func oldName(old *model.Datatype, f *model.Field) string {
	same := field(old, f.Name)
	if f.Was != "" && field(old, f.Was) != nil && (same == nil || same.Was != f.Was) {
		return f.Was
	}
	if same == nil {
		return ""
	}
	return f.Name
}

// oldField is the column that a field was; nil: it is new.
func oldField(old, d *model.Datatype, f *model.Field) *model.Field {
	name := oldName(old, f)
	if name == f.Name && slices.ContainsFunc(d.Fields, func(o *model.Field) bool { return o != f && oldName(old, o) == name }) {
		return nil // another field was it
	}
	return field(old, name)
}

func (e *expectation) column(before, after *version, has contents, old, d *model.Datatype, f *model.Field, r row) (value, bool) {
	was := oldField(old, d, f)
	if was == nil {
		return fresh(f)
	}
	v, ok := becomes(was, f, r[was.Name])
	if ok && v != nil && f.References != nil {
		to := oldTable(before, after, f.References)
		ok = to != nil && has.row(to.Name, *v) != nil
		if !ok {
			return v, false
		}
	}
	if !ok {
		return instead(f)
	}
	return v, true
}

// fresh is what a new column holds in rows that were there.
func fresh(f *model.Field) (value, bool) {
	switch {
	case given(f):
		return instead(f)
	case f.Default != nil && f.Default.Now && f.Storage().Kind == check.Int:
		return some("0"), true
	case f.Default != nil && f.Default.Now:
		return moment, true
	case f.Default != nil:
		return canonical(f, f.Default.Text), true
	case f.NotNull:
		return instead(f)
	}
	return nil, true
}

func given(f *model.Field) bool { return f.Existing != nil && (f.Existing.Default || f.Existing.Set) }

// instead is what rows get that do not fit.
func instead(f *model.Field) (value, bool) {
	switch e := f.Existing; {
	case e != nil && e.Set:
		return canonical(f, e.Text), true
	case (e != nil && e.Default || f.Added) && f.Default != nil && !f.Default.Now:
		return canonical(f, f.Default.Text), true
	case e != nil && e.Default && f.Default != nil:
		return moment, true
	case f.Added && f.NotNull:
		return zero(f), true
	}
	return nil, false
}

func zero(f *model.Field) value {
	switch f.Storage().Kind {
	case check.Decimal:
		return some(pointed("0", f.Scale))
	case check.Int:
		return some("0")
	case check.Bool:
		return some("false")
	case check.Time, check.Date:
		return moment
	case check.JSON:
		return some("null")
	}
	return some("")
}

// becomes is a value in the new type and under the new rules, if it fits.
func becomes(was, now *model.Field, v value) (value, bool) {
	if v == nil {
		return nil, !now.NotNull
	}
	text, ok := *v, true
	from, to := was.Storage().Kind, now.Storage().Kind
	if from != to || was.Scale != now.Scale {
		if text, ok = converted(was, now, text); !ok {
			return nil, false
		}
	}
	text = renamedOption(was, now, text)
	return some(text), fits(now, text)
}

func renamedOption(was, now *model.Field, text string) string {
	for _, o := range now.Options {
		recorded := slices.ContainsFunc(was.Options, func(b model.Option) bool { return b.Value == o.Value && b.Was == o.Was })
		if o.Was != "" && o.Was == text && !recorded {
			return o.Value
		}
	}
	return text
}

var wholeNumber = regexp.MustCompile(`^(0|-?[1-9][0-9]{0,17})$`)

// converted is the text of a value in another type, where it has one.
func converted(was, now *model.Field, text string) (string, bool) {
	from, to := was.Storage().Kind, now.Storage().Kind
	switch {
	case from == check.Decimal && to == check.Decimal, from == check.Int && to == check.Decimal, from == check.Decimal && to == check.Int:
		return rescaled(text, was.Scale, now.Scale)
	case to == check.Float:
		return asFloat(was, text)
	case from == check.Float && to == check.Int:
		return floatAsInt(text)
	case from == check.Float && to == check.Decimal:
		return floatAsDecimal(text, now.Scale)
	case to == check.Text:
		return text, true
	case from == check.Text && to == check.Int:
		return text, wholeNumber.MatchString(text)
	case from == check.Text && to == check.Bool:
		return text, text == "true" || text == "false"
	case from == check.Int && to == check.Bool:
		b, ok := map[string]string{"0": "false", "1": "true"}[text]
		return b, ok
	case from == check.Bool && to == check.Int:
		return map[string]string{"false": "0", "true": "1"}[text], true
	case from == check.Date && to == check.Time:
		return text + "T00:00:00.000000Z", true
	case from == check.Time && to == check.Date:
		return text[:10], strings.HasSuffix(text, "T00:00:00.000000Z")
	}
	panic(fmt.Sprintf("no one said what a %s is as a %s", was.Type, now.Type))
}

func rescaled(text string, from, to int) (string, bool) {
	digits := unpointed(text)
	if to >= from {
		if digits != "0" {
			digits += strings.Repeat("0", to-from)
		}
	} else {
		digits = strings.Repeat("0", max(0, from-to-len(digits)+1)) + digits
		if strings.Trim(digits[len(digits)-(from-to):], "0") != "" {
			return "", false
		}
		digits = digits[:len(digits)-(from-to)]
	}
	return pointed(unpointed(digits), to), len(strings.TrimLeft(digits, "-0")) <= check.MaxDigits || to == 0 && from == 0
}

// isMoment reports whether a value is the time of a migration that has just run.
func isMoment(v value) bool {
	if v == nil {
		return false
	}
	for _, layout := range []string{"2006-01-02T15:04:05.000000Z", "2006-01-02"} {
		if at, err := time.Parse(layout, *v); err == nil {
			return time.Since(at).Abs() < 26*time.Hour
		}
	}
	return false
}
