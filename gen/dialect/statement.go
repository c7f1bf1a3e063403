package dialect

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// The arguments that the runtime passes to every statement of a queue, by
// index; a statement uses those that its placeholders name. A database with a
// clock of its own takes spans, and a moment only from a test's clock; SQLite,
// which has none, takes instants. Package runtime/queue has the same list.
const (
	argID       = iota // the row's id
	argEpoch           // the claim's epoch
	argSpan            // lease or delay, in microseconds
	argNow             // the moment of the call, or null: the database's
	argUntil           // that moment plus the span
	argError           // text of the failure
	argErrors          // the last failures
	argHold            // why the row is to wait
	argLimit           // rows at most
	argName            // of the named queue
	argResult          // of the handler
	argProgress        // of the handler
	argNote            // of the handler
	argLease           // the lease that was seen
	argGate            // what a limit counts by
	argKey             // a unique key
	argIDs             // of many claims
	argEpochs          // of the same claims
	argPriority        // the new one
)

// statement collects a text and which argument each placeholder takes.
type statement struct {
	l      *lowering
	text   strings.Builder
	args   []int // never nil: nil would mean all arguments, in order
	params []*model.Field
}

func (l *lowering) statement() *statement { return &statement{l: l, args: []int{}} }

func (s *statement) add(format string, a ...any) { fmt.Fprintf(&s.text, format, a...) }

// arg is a placeholder for an argument that is compared with or written to f.
func (s *statement) arg(index int, f *model.Field) string {
	s.args = append(s.args, index)
	s.params = append(s.params, f)
	return s.l.d.Placeholder(len(s.args))
}

// cast says that a placeholder in an expression is a whole number.
func (s *statement) cast(placeholder string) string {
	if s.l.d == sqltext.Postgres {
		return placeholder + "::bigint"
	}
	return placeholder
}

// now is the moment of a queue's statement, later that and the span.
func (s *statement) now(f *model.Field) string { return s.moment(argNow, f) }

func (s *statement) later(f *model.Field) string { return s.after(argNow, argSpan, argUntil, f) }

// moment is the database's clock, unless the caller gives a moment; where there
// is no such clock, it always does.
func (s *statement) moment(now int, f *model.Field) string {
	switch s.l.d {
	case sqltext.Postgres:
		return fmt.Sprintf("COALESCE(%s::timestamptz, now())", s.arg(now, nil))
	case sqltext.MySQL:
		return fmt.Sprintf("COALESCE(%s, CURRENT_TIMESTAMP(6))", s.arg(now, nil))
	}
	return s.arg(now, f)
}

// after is the moment that is a span away, which the caller gives as an instant
// where the database has no clock; null where the span is.
func (s *statement) after(now, span, instant int, f *model.Field) string {
	switch s.l.d {
	case sqltext.Postgres:
		from := s.moment(now, f)
		return fmt.Sprintf("%s + %s::bigint * interval '1 microsecond'", from, s.arg(span, nil))
	case sqltext.MySQL:
		micro := s.arg(span, nil)
		return fmt.Sprintf("TIMESTAMPADD(MICROSECOND, %s, %s)", micro, s.moment(now, f))
	}
	return s.arg(instant, f)
}

// when writes a value that only rows take for which a condition holds; all do
// where there is none.
func (s *statement) when(condition, otherwise string, value func()) {
	if condition == "" {
		value()
		return
	}
	s.add("CASE WHEN %s THEN ", condition)
	value()
	s.add(" ELSE %s END", otherwise)
}

func (s *statement) query(command string, columns []*model.Field) model.Query {
	return model.Query{Command: command, Text: s.text.String(), Args: s.args, Params: s.params, Columns: columns}
}
