package sqlc

import (
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/near"
)

// literals reports literals that do not mean on every database what they mean
// on one: the stored form of a decimal, a datetime and a boolean differs, which
// a parameter knows and a literal does not; and texts that a select never holds.
func (q *written) literals(datatypes map[string]*model.Datatype) {
	s := newScope(q, datatypes)
	for i := 0; i < len(s.code); i++ {
		switch w := s.word(i); {
		case strings.Contains("=<>!", s.code[i].text) && s.code[i].kind == other:
			end := i + 1
			for end < len(s.code) && strings.Contains("=<>", s.code[end].text) {
				end++
			}
			s.compared(q, i, end)
			i = end - 1
		case s.is(i, "+") || s.is(i, "-"):
			s.compared(q, i, i+1)
		case w == "between":
			left := s.before(s.skipNot(i))
			if lit, ok := s.literalAt(i + 1); ok {
				s.meets(q, lit, left, w)
				i = lit.end - 1
			}
			for j := i + 1; j < len(s.code) && j < i+12; j++ {
				if s.word(j) == "and" {
					s.meetsAt(q, j+1, left, w)
					break
				}
			}
		case w == "in" && s.is(i+1, "(") && s.closing(i+1) > 0:
			for _, e := range s.split(span{i + 2, s.closing(i + 1)}) {
				s.meetsAt(q, e.from, s.before(s.skipNot(i)), w)
			}
		case w == "coalesce" && s.is(i+1, "(") && s.closing(i+1) > 0:
			arguments := s.split(span{i + 2, s.closing(i + 1)})
			for _, e := range arguments[1:] {
				s.meetsAt(q, e.from, s.after(arguments[0].from), w)
			}
		case w == "into":
			s.inserted(q, i+1)
		}
	}
}

func (s scope) skipNot(i int) int {
	if s.word(i-1) == "not" {
		return i - 1
	}
	return i
}

// compared looks at both sides of an operator, which stands from i to end.
func (s scope) compared(q *written, i, end int) {
	op := ""
	for _, t := range s.code[i:end] {
		op += t.text
	}
	if lit, ok := s.literalAt(end); ok {
		s.meets(q, lit, s.before(i), op)
	}
	if lit, ok := s.literalBefore(i); ok {
		s.meets(q, lit, s.after(end), op)
	}
}

// inserted looks at INSERT INTO table (columns) VALUES (...), (...).
func (s scope) inserted(q *written, i int) {
	d, open := s.tables[s.word(i)], i+1
	end := s.closing(open)
	if d == nil || !s.is(open, "(") || end < 0 || s.word(end+1) != "values" {
		return
	}
	columns := s.split(span{open + 1, end})
	for row := end + 2; s.is(row, "(") && s.closing(row) > 0; row = s.closing(row) + 2 {
		for n, e := range s.split(span{row + 1, s.closing(row)}) {
			if lit, ok := s.literalAt(e.from); ok && lit.end == e.to && n < len(columns) {
				s.meets(q, lit, fieldNamed(d, s.word(columns[n].from)), "=")
			}
		}
	}
}

// literal is a number or a text in a query.
type literal struct {
	at    int // offset in the file
	end   int // the token behind it
	text  string
	isStr bool
}

func (l literal) zero() bool { return !l.isStr && strings.Trim(l.text, "-0.") == "" }

func (s scope) literalAt(i int) (literal, bool) {
	if i >= len(s.code) {
		return literal{}, false
	}
	l := literal{at: s.code[i].at}
	if s.is(i, "-") {
		l.text, i = "-", i+1
	}
	if i >= len(s.code) {
		return l, false
	}
	t := s.code[i]
	switch {
	case t.kind == str && l.text == "":
		l.text, l.isStr, l.end = t.text, true, i+1
		return l, true
	case t.kind == word && isDigit(t.text[0]):
		l.text, l.end = l.text+t.text, i+1
		if s.is(i+1, ".") && i+2 < len(s.code) && isDigit(s.code[i+2].text[0]) {
			l.text, l.end = l.text+"."+s.code[i+2].text, i+3
		}
		return l, true
	}
	return l, false
}

func (s scope) literalBefore(i int) (literal, bool) {
	start := i - 1
	if start >= 2 && s.is(start-1, ".") && isDigit(s.code[start].text[0]) {
		start -= 2
	}
	if start < 0 {
		return literal{}, false
	}
	l, ok := s.literalAt(start)
	return l, ok && l.end == i
}

// before returns the field whose value ends before i.
func (s scope) before(i int) *model.Field {
	if s.is(i-1, ")") {
		if open := s.opening(i - 1); open > 0 {
			return s.called(span{open - 1, i})
		}
		return nil
	}
	return s.sure(i - 1)
}

// after returns the field whose value begins at i.
func (s scope) after(i int) *model.Field {
	if s.is(i+1, "(") {
		if end := s.closing(i + 1); end > 0 {
			return s.called(span{i, end + 1})
		}
		return nil
	}
	if s.is(i+1, ".") {
		i += 2
	}
	return s.sure(i)
}

func (s scope) called(e span) *model.Field {
	v, ok := s.expressionType(e)
	if !ok {
		return nil
	}
	if v.Field != nil {
		return v.Field
	}
	return &model.Field{Name: s.word(e.from), Type: v.Type, Scale: v.Scale}
}

// sure returns the column at i, where all that it may be are of one type.
func (s scope) sure(i int) *model.Field {
	cs := s.columns(i)
	if len(cs) == 0 || slices.ContainsFunc(cs, func(c column) bool {
		return c.field.Type != cs[0].field.Type || c.field.Type == "select" && len(cs) > 1
	}) {
		return nil
	}
	return cs[0].field
}

func (s scope) meetsAt(q *written, i int, f *model.Field, op string) {
	if lit, ok := s.literalAt(i); ok {
		s.meets(q, lit, f, op)
	}
}

// meets reports a literal that stands for a value of a field and cannot.
func (s scope) meets(q *written, l literal, f *model.Field, op string) {
	if f == nil {
		return
	}
	on := func(db model.Database) bool { return slices.Contains(q.file.Databases, db) }
	arithmetic := op == "+" || op == "-"
	switch {
	case f.Type == "decimal" && on(model.SQLite) && !l.zero() && (l.isStr || f.Scale > 0):
		q.file.mistake(l.at, "use a parameter: @"+parameterFor(f, op), "%s does not mean the same on all databases: sqlite keeps the decimal %s as a whole number%s", l.text, f.Name, scaled(l, f))
	case f.Type == "datetime" && on(model.SQLite) && l.isStr && !arithmetic:
		q.file.mistake(l.at, "use a parameter: @"+parameterFor(f, op), "%s does not mean the same on all databases: sqlite compares the datetime %s as text", l.text, f.Name)
	case f.Type == "boolean" && on(model.Postgres) && !l.isStr && !arithmetic:
		q.file.mistake(l.at, "write true or false", "%s is a boolean, and postgres has no number for it", f.Name)
	case f.Type == "select" && l.isStr && !arithmetic:
		value := strings.ReplaceAll(strings.Trim(l.text, "'"), "''", "'")
		if options := f.Rules.Options; len(options) > 0 && !slices.Contains(options, value) {
			hint := "its options are " + strings.Join(options, ", ")
			if meant := near.Word(value, options); meant != "" {
				hint = fmt.Sprintf("write '%s'; %s", meant, hint)
			}
			q.file.mistake(l.at, hint, "%s has no option %s", f.Name, l.text)
		}
	}
}

// parameterFor proposes a parameter's name.
func parameterFor(f *model.Field, op string) string {
	switch op {
	case ">", ">=":
		return "least"
	case "<", "<=":
		return "most"
	}
	return f.Name
}

// scaled says what a whole number means among SQLite's scaled ones: 10 is 0.10.
func scaled(l literal, f *model.Field) string {
	digits := strings.TrimPrefix(l.text, "-")
	if l.isStr || strings.Contains(digits, ".") || f.Scale == 0 {
		return ""
	}
	for len(digits) <= f.Scale {
		digits = "0" + digits
	}
	point := len(digits) - f.Scale
	return ", where that is " + l.text[:len(l.text)-len(strings.TrimPrefix(l.text, "-"))] + digits[:point] + "." + digits[point:]
}
