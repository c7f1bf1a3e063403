// Package statement writes SQL for one database, with its literals and conditions,
// and keeps which argument of the caller each placeholder takes. The stage and the
// behaviors write their queries with it.
package statement

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Writer writes the SQL of one database.
type Writer struct{ Dialect sqltext.Dialect }

// Quote quotes a name where it has to be.
func (w Writer) Quote(name string) string { return w.Dialect.Quote(name) }

// Statement collects a text and which argument each placeholder takes.
type Statement struct {
	w      Writer
	text   strings.Builder
	args   []int // never nil: nil would mean all arguments, in order
	params []*model.Field
}

// Statement begins a statement.
func (w Writer) Statement() *Statement { return &Statement{w: w, args: []int{}} }

// Add adds text.
func (s *Statement) Add(format string, a ...any) { fmt.Fprintf(&s.text, format, a...) }

// Arg is a placeholder for an argument that is compared with or written to f.
func (s *Statement) Arg(index int, f *model.Field) string {
	s.args = append(s.args, index)
	s.params = append(s.params, f)
	return s.w.Dialect.Placeholder(len(s.args))
}

// Listed returns the condition that a column is in the list that the argument index
// is, as a core.List goes into the statement on each database.
func (s *Statement) Listed(index int, postgresType string, f *model.Field) string {
	switch s.w.Dialect {
	case sqltext.SQLite:
		return fmt.Sprintf("IN (SELECT value FROM json_each(%s))", s.Arg(index, nil))
	case sqltext.Postgres:
		return fmt.Sprintf("= ANY(%s::%s[])", s.Arg(index, nil), postgresType)
	}
	return fmt.Sprintf("IN (%s)", s.Arg(index, f))
}

// InsertNew returns how an INSERT begins that leaves a row of the same key as it is, and how
// it ends.
func (w Writer) InsertNew(key ...*model.Field) (insert, end string) {
	if w.Dialect == sqltext.MySQL {
		return "INSERT IGNORE", ""
	}
	return "INSERT", fmt.Sprintf("\nON CONFLICT (%s) DO NOTHING", w.Dialect.Columns(Names(key)))
}

// Cast says that a placeholder in an expression is a whole number.
func (s *Statement) Cast(placeholder string) string {
	if s.w.Dialect == sqltext.Postgres {
		return placeholder + "::bigint"
	}
	return placeholder
}

// Moment is the database's clock, unless the caller gives a moment; where there
// is no such clock, it always does.
func (s *Statement) Moment(now int, f *model.Field) string {
	switch s.w.Dialect {
	case sqltext.Postgres:
		return fmt.Sprintf("COALESCE(%s::timestamptz, now())", s.Arg(now, nil))
	case sqltext.MySQL:
		return fmt.Sprintf("COALESCE(%s, CURRENT_TIMESTAMP(6))", s.Arg(now, nil))
	}
	return s.Arg(now, f)
}

// Day is the day of Moment, in UTC.
func (s *Statement) Day(now int) string {
	moment := s.Moment(now, nil)
	switch s.w.Dialect {
	case sqltext.Postgres:
		return "(" + moment + " AT TIME ZONE 'UTC')::date"
	case sqltext.MySQL:
		return "DATE(" + moment + ")"
	}
	return "substr(" + moment + ", 1, 10)"
}

// After is the moment that is a span away, which the caller gives as an instant
// where the database has no clock; null where the span is.
func (s *Statement) After(now, span, instant int, f *model.Field) string {
	switch s.w.Dialect {
	case sqltext.Postgres:
		from := s.Moment(now, f)
		return fmt.Sprintf("%s + %s::bigint * interval '1 microsecond'", from, s.Arg(span, nil))
	case sqltext.MySQL:
		micro := s.Arg(span, nil)
		return fmt.Sprintf("TIMESTAMPADD(MICROSECOND, %s, %s)", micro, s.Moment(now, f))
	}
	return s.Arg(instant, f)
}

// When writes a value that only rows take for which a condition holds; all do
// where there is none.
func (s *Statement) When(condition, otherwise string, value func()) {
	if condition == "" {
		value()
		return
	}
	s.Add("CASE WHEN %s THEN ", condition)
	value()
	s.Add(" ELSE %s END", otherwise)
}

// Query is what was written, as sqlc knows it: its command and the columns of its result.
func (s *Statement) Query(command string, columns []*model.Field) model.Query {
	return model.Query{Command: command, Text: s.text.String(), Args: s.args, Params: s.params, Columns: columns}
}

// One is a query as the only one of an operation.
func One(q model.Query) []model.Query { return []model.Query{q} }

// Names are the names of fields.
func Names(fields []*model.Field) []string {
	out := make([]string, len(fields))
	for i, f := range fields {
		out[i] = f.Name
	}
	return out
}
