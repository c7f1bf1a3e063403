package worker

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// Payload is a composite literal of a payload's struct with values that its rules accept, of the
// fields that cannot be left out. Where no such value is found, the field is left out, and the
// error of the test names it.
func Payload(goName string, fields []*model.Field) string {
	var parts []string
	for _, f := range fields {
		if value := sample(f); f.NotNull && value != "" {
			parts = append(parts, f.GoName+": "+value)
		}
	}
	return "@generated." + goName + "{" + strings.Join(parts, ", ") + "}"
}

// Row is the composite literal of a new row of a datatype with values of the fields that must be
// given, but for those that set has, as text.
func Row(d *model.Datatype, set map[*model.Field]string) string {
	return "@generated." + d.GoRow + "New{" + strings.Join(assignments(d, set, ": "), ", ") + "}"
}

// Required are the statements that set in a new row n the fields that must be given, those of set
// to what it has for them, but for those of skip.
func Required(d *model.Datatype, set map[*model.Field]string, skip ...*model.Field) []string {
	set = maps.Clone(set)
	for _, f := range skip {
		set[f] = ""
	}
	var out []string
	for _, a := range assignments(d, set, " = ") {
		out = append(out, "n."+a)
	}
	return out
}

func assignments(d *model.Datatype, set map[*model.Field]string, between string) []string {
	var parts []string
	for _, f := range d.Fields {
		plain := f.Required && f.Default == nil
		value, given := set[f]
		if !given && plain {
			value = sample(f)
		}
		if value == "" {
			continue
		}
		if !plain {
			value = "@store.Set(" + value + ")"
		}
		parts = append(parts, f.GoName+between+value)
	}
	return parts
}

// References are statements that add the rows which a new row of the datatype has to refer to: it
// gets them as variables of the names of their fields. Rows that these refer to come before them.
func References(d *model.Datatype, skip ...*model.Field) ([]string, map[*model.Field]string) {
	r := &referring{ids: map[*model.Datatype]string{}}
	ids := r.rows(d, skip)
	return r.lines, ids
}

type referring struct {
	lines []string
	ids   map[*model.Datatype]string
}

func (r *referring) rows(d *model.Datatype, skip []*model.Field) map[*model.Field]string {
	out := map[*model.Field]string{}
	for _, f := range d.Fields {
		if f.References == nil || !f.Required || slices.Contains(skip, f) {
			continue
		}
		id, ok := r.ids[f.References]
		if !ok {
			variable := "row" + strconv.Itoa(len(r.ids)+1)
			id = variable + ".ID"
			r.ids[f.References] = id // of a circle too, which no test can add
			r.lines = append(r.lines,
				variable+", err := db."+f.References.GoAccessor+".Create(t.Context(), "+Row(f.References, r.rows(f.References, nil))+")",
				"if err != nil {", "\tt.Fatal(err)", "}")
		}
		out[f] = id
	}
	return out
}

// sample is a value that the rules of a field accept, as Go; "" where none is found.
func sample(f *model.Field) string {
	switch {
	case f.EnumGoName != "" && len(f.Options) > 0:
		return "@generated." + f.Options[0].GoName
	case f.References != nil:
		return ""
	case f.JSONGoName != "":
		return Payload(f.JSONGoName, f.JSONFields)
	case f.GoType != "":
		return ""
	}
	switch f.Rules.Kind {
	case check.Text:
		return sampleText(f)
	case check.Int:
		return strconv.FormatInt(sampleInt(f.Rules), 10)
	case check.Decimal:
		return fmt.Sprintf("@decimal.RequireFromString(%q)", sampleDecimal(f.Rules))
	case check.Bool:
		return "true"
	case check.Time:
		return "@time.Date(2026, 1, 16, 12, 0, 0, 0, @time.UTC)"
	case check.Date:
		return "@store.Date{Year: 2026, Month: @time.January, Day: 16}"
	case check.JSON:
		return sampleJSON(f.Rules)
	case check.Bytes:
		return fmt.Sprintf("[]byte(%q)", filled("sample", f.Rules))
	}
	return ""
}

func sampleInt(r check.Rules) int64 {
	n := int64(1)
	if r.Min.IsSet() {
		n = max(n, r.Min.Int())
	}
	if r.Max.IsSet() {
		n = min(n, r.Max.Int())
	}
	return n
}

func sampleDecimal(r check.Rules) string {
	n := check.AtInt(1)
	if r.Min.IsSet() && r.Min.Compare(n) > 0 {
		n = r.Min
	}
	if r.Max.IsSet() && r.Max.Compare(n) < 0 {
		n = r.Max
	}
	return n.String()
}

func sampleJSON(r check.Rules) string {
	for _, text := range []string{`{}`, `[]`, `""`, `"` + filled("sample", r) + `"`} {
		if len(r.Check([]byte(text))) == 0 {
			return fmt.Sprintf("@store.JSON(%s)", quoted(text))
		}
	}
	return ""
}

func quoted(text string) string {
	if strconv.CanBackquote(text) {
		return "`" + text + "`"
	}
	return strconv.Quote(text)
}

// filled is a text that is made as long, or as short, as the rules require.
func filled(text string, r check.Rules) string {
	if n := r.Min.Int(); r.Min.IsSet() && int64(len(text)) < n && n <= 10_000 {
		text += strings.Repeat("x", int(n)-len(text))
	}
	if n := r.Max.Int(); r.Max.IsSet() && int64(len(text)) > n && n >= 0 {
		text = text[:n]
	}
	return text
}

// sampleText tries what fields of the name and type may hold, and what the field's pattern matches.
func sampleText(f *model.Field) string {
	r := f.Rules
	r.Secret = false
	tried := []string{strings.ReplaceAll(f.Name, "_", "-"), "sample", "ann@example.com", "https://example.com/", "1", "Aa1!Aa1!Aa1!", "2026-01-16", time.DateOnly}
	if r.Pattern != "" {
		tried = append([]string{matching(r.Pattern)}, tried...)
	}
	tried = append(tried, r.Options...)
	for _, text := range slices.Clone(tried) {
		tried = append(tried, filled(text, r), matching(r.Pattern)+filled("", r))
	}
	for _, text := range tried {
		if text != "" && len(r.Check(text)) == 0 {
			return strconv.Quote(text)
		}
	}
	return ""
}

// Option is the value of a select, or of another text, as Go.
func Option(f *model.Field, value string) string {
	for _, o := range f.Options {
		if o.Value == value {
			return "@generated." + o.GoName
		}
	}
	return strconv.Quote(value)
}
