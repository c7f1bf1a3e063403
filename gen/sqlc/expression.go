package sqlc

import (
	"strings"

	"github.com/hegner123/modulagen/gen/fieldtype"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// expressionType finds the type of an expression that is a column, or one of
// min, max, sum and coalesce over one. Its name is left empty. What sqlc says of
// these differs between databases, and for a decimal it is wrong: SQLite's is a
// scaled whole number.
func (s scope) expressionType(e span) (UserValue, bool) {
	for s.is(e.from, "(") && s.closing(e.from) == e.to-1 {
		e = span{e.from + 1, e.to - 1}
	}
	if e.from >= e.to {
		return UserValue{}, false
	}
	if plain := e.to - 1; plain == e.from || plain == e.from+2 && s.is(e.from+1, ".") {
		cs := s.columns(plain)
		if len(cs) != 1 {
			return UserValue{}, false
		}
		f := cs[0].field
		return UserValue{Type: f.Type, Scale: f.Scale, Field: f, Datatype: cs[0].datatype, Null: !f.NotNull || s.outer}, true
	}
	end := s.closing(e.from + 1)
	if !s.is(e.from+1, "(") || end < 0 || !s.endsCall(end, e.to) {
		return UserValue{}, false
	}
	arguments := span{e.from + 2, end}
	switch function := s.word(e.from); function {
	case "min", "max", "sum":
		if s.word(arguments.from) == "distinct" {
			arguments.from++
		}
		return s.aggregate(function, arguments)
	case "coalesce":
		return s.coalesce(s.split(arguments))
	}
	return UserValue{}, false
}

// endsCall tells whether a call whose bracket closes at i is all until to, but
// for OVER (...) and FILTER (...).
func (s scope) endsCall(i, to int) bool {
	for i++; i < to; i++ {
		if w := s.word(i); w != "over" && w != "filter" || !s.is(i+1, "(") {
			return false
		}
		i = s.closing(i + 1)
		if i < 0 {
			return false
		}
	}
	return i == to
}

func (s scope) aggregate(function string, argument span) (UserValue, bool) {
	v, ok := s.expressionType(argument)
	if !ok {
		return v, false
	}
	kind := v.kind()
	v.Null = true // of no rows
	if function == "sum" {
		v.Datatype, v.Field = nil, nil
		return v, v.Type == "number" || v.Type == "decimal"
	}
	return v, kind == check.Int || kind == check.Decimal || kind == check.Text || kind == check.Time || kind == check.Date
}

// coalesce has the type of its arguments that are columns; the others may be
// parameters and literals.
func (s scope) coalesce(arguments []span) (UserValue, bool) {
	var out UserValue
	null := true
	for _, a := range arguments {
		if s.code[min(a.from, len(s.code)-1)].kind == named || s.word(a.from) == "sqlc" {
			null = null && s.word(a.from+2) == "narg"
			continue
		}
		if lit, ok := s.literalAt(a.from); ok && lit.end == a.to {
			null = false
			continue
		}
		if s.word(a.from) == "null" && a.to == a.from+1 {
			continue
		}
		v, ok := s.expressionType(a)
		if !ok || out.Type != "" && (v.Type != out.Type || v.Scale != out.Scale) {
			return out, false
		}
		null = null && v.Null
		if out.Type == "" {
			out = v
		} else if v.Field != out.Field {
			out.Datatype, out.Field, out.Type = nil, nil, plain(out.Type)
		}
	}
	out.Null = null
	return out, out.Type != ""
}

// kind is the kind of a value as it is stored.
func (v UserValue) kind() check.Kind {
	if v.Field != nil {
		return v.Field.Storage().Kind
	}
	return fieldtype.MustLookup(v.Type).Kind
}

// decimals gives the decimal column whose value an expression works with, if
// there is one. What is counted, compared or looked up does not matter.
func (s scope) decimals(e span) *model.Field {
	for i := e.from; i < e.to; i++ {
		switch w := s.word(i); {
		case w == "count" && s.is(i+1, "("):
			i = max(i, s.closing(i+1))
		case w == "when":
			for i < e.to && s.word(i) != "then" {
				i++
			}
		case w == "from":
			for depth := 0; i+1 < e.to && depth >= 0; i++ {
				depth += strings.Count(s.code[i+1].text, "(") - strings.Count(s.code[i+1].text, ")")
			}
		}
		for _, c := range s.columns(i) {
			if c.field.Type == "decimal" {
				return c.field
			}
		}
	}
	return nil
}
