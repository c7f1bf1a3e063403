package dialect

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// The arguments that the runtime passes to every statement of a queue, by
// index; a statement uses those that its placeholders name. A database with a
// clock of its own takes spans; SQLite, which has none, takes instants.
const (
	argID    = iota // the row's id
	argEpoch        // the claim's epoch
	argSpan         // lease or delay, in microseconds
	argNow          // the moment of the call
	argUntil        // that moment plus the span
	argError        // text of the failure
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

// now is the database's clock, or the caller's moment where there is none.
func (s *statement) now(f *model.Field) string {
	switch s.l.d {
	case sqltext.Postgres:
		return "now()"
	case sqltext.MySQL:
		return "CURRENT_TIMESTAMP(6)"
	}
	return s.arg(argNow, f)
}

// later is now plus the span.
func (s *statement) later(f *model.Field) string {
	switch s.l.d {
	case sqltext.Postgres:
		return fmt.Sprintf("now() + %s::bigint * interval '1 microsecond'", s.arg(argSpan, nil))
	case sqltext.MySQL:
		return fmt.Sprintf("TIMESTAMPADD(MICROSECOND, %s, CURRENT_TIMESTAMP(6))", s.arg(argSpan, nil))
	}
	return s.arg(argUntil, f)
}

func (s *statement) query(command string, columns []*model.Field) model.Query {
	return model.Query{Command: command, Text: s.text.String(), Args: s.args, Params: s.params, Columns: columns}
}

// work lowers the operations of a queue.
func (l *lowering) work(d *model.Datatype, op *model.Operation) []model.Query {
	switch op.Kind {
	case model.OpClaim:
		return l.claim(d, op)
	case model.OpBeat:
		return l.settle(d, func(s *statement, w *model.Worker) {
			s.add("%s = %s", l.q(w.Lease.Name), s.later(w.Lease))
		})
	case model.OpComplete:
		return l.settle(d, func(s *statement, w *model.Worker) {
			s.add("%s = %s, %s = NULL", l.q(w.Section.State.Name), l.quoteText(w.Section.Done), l.q(w.Lease.Name))
			s.ended(w)
		})
	case model.OpRetry:
		return l.settle(d, func(s *statement, w *model.Worker) {
			q := w.Section
			s.add("%s = %s, %s = NULL", l.q(q.State.Name), l.quoteText(q.Ready), l.q(w.Lease.Name))
			s.add(", %s = %s", l.q(q.RunAt.Name), s.later(q.RunAt))
			s.add(", %s = %s", l.q(q.Error.Name), s.arg(argError, q.Error))
		})
	case model.OpRelease:
		return l.settle(d, func(s *statement, w *model.Worker) {
			q := w.Section
			s.add("%s = %s, %s = NULL", l.q(q.State.Name), l.quoteText(q.Ready), l.q(w.Lease.Name))
			s.add(", %s = %s - 1", l.q(q.Attempts.Name), l.q(q.Attempts.Name))
		})
	case model.OpBury:
		return l.settle(d, func(s *statement, w *model.Worker) {
			q := w.Section
			s.add("%s = %s, %s = NULL", l.q(q.State.Name), l.quoteText(q.Dead), l.q(w.Lease.Name))
			s.ended(w)
			s.add(", %s = %s", l.q(q.Error.Name), s.arg(argError, q.Error))
		})
	case model.OpSweep:
		return l.sweep(d)
	}
	panic(fmt.Sprintf("dialect: operation %q is not in the closed set", op.Kind))
}

func (s *statement) ended(w *model.Worker) {
	if f := w.Section.CompletedAt; f != nil {
		s.add(", %s = %s", s.l.q(f.Name), s.now(f))
	}
}

// settle is a change that only the holder of the claim may make: it names the
// epoch, and changes no row once another has claimed it.
func (l *lowering) settle(d *model.Datatype, set func(*statement, *model.Worker)) []model.Query {
	s, w := l.statement(), d.Worker
	s.add("UPDATE %s\nSET ", l.q(d.Name))
	set(s, w)
	s.add("\nWHERE id = %s", s.arg(argID, d.IDField()))
	s.add(" AND %s = %s", l.q(w.Epoch.Name), s.arg(argEpoch, w.Epoch))
	s.add(" AND %s = %s", l.q(w.Section.State.Name), l.quoteText(w.Section.Running))
	return one(s.query(":execrows", nil))
}

// claim takes the first row that is due, raises its epoch and gives it a lease.
// MySQL cannot show what it changed: there a locking read finds the row, and a
// second statement takes it.
func (l *lowering) claim(d *model.Datatype, op *model.Operation) []model.Query {
	if l.d == sqltext.MySQL {
		find, take := l.statement(), l.statement()
		l.due(find, d)
		find.add("\nFOR UPDATE SKIP LOCKED")
		l.take(take, d)
		take.add("\nWHERE id = %s", take.arg(argID, d.IDField()))
		q := take.query(":execrows", nil)
		q.Name = op.Name + "Take"
		return []model.Query{find.query(":one", []*model.Field{d.IDField()}), q}
	}
	s := l.statement()
	l.take(s, d)
	s.add("\nWHERE id = (\n")
	l.due(s, d)
	if l.d == sqltext.Postgres {
		s.add("\nFOR UPDATE SKIP LOCKED")
	}
	s.add("\n)\nRETURNING %s", l.d.Columns(names(d.Columns())))
	return one(s.query(":one", d.Columns()))
}

func (l *lowering) take(s *statement, d *model.Datatype) {
	w := d.Worker
	q := w.Section
	s.add("UPDATE %s\nSET %s = %s", l.q(d.Name), l.q(q.State.Name), l.quoteText(q.Running))
	for _, counter := range []*model.Field{q.Attempts, w.Epoch} {
		s.add(", %s = %s + 1", l.q(counter.Name), l.q(counter.Name))
	}
	s.add(", %s = %s", l.q(w.Lease.Name), s.later(w.Lease))
	if q.StartedAt != nil {
		s.add(", %s = %s", l.q(q.StartedAt.Name), s.now(q.StartedAt))
	}
}

// due finds the row that is to be claimed next.
func (l *lowering) due(s *statement, d *model.Datatype) {
	q := d.Worker.Section
	col := func(f *model.Field) string { return "due." + l.q(f.Name) }
	s.add("SELECT due.id\nFROM %s AS due\nWHERE %s = %s", l.q(d.Name), col(q.State), l.quoteText(q.Ready))
	s.add("\n  AND (%s IS NULL OR %s <= %s)\nORDER BY ", col(q.RunAt), col(q.RunAt), s.now(q.RunAt))
	for _, o := range q.Order {
		s.add("%s", col(o.Field))
		if o.Desc {
			s.add(" DESC")
		}
		if l.d == sqltext.Postgres && !o.Field.NotNull {
			s.add("%s", map[bool]string{false: " NULLS FIRST", true: " NULLS LAST"}[o.Desc])
		}
		s.add(", ")
	}
	s.add("due.id\nLIMIT 1")
}

// sweep takes their claims from workers whose lease has run out. The epoch is
// raised, so that one of them that wakes again can write nothing.
func (l *lowering) sweep(d *model.Datatype) []model.Query {
	s, w := l.statement(), d.Worker
	q := w.Section
	state, lease := l.q(q.State.Name), l.q(w.Lease.Name)
	s.add("UPDATE %s\nSET %s = CASE WHEN %s >= %s THEN %s ELSE %s END", l.q(d.Name), state,
		l.q(q.Attempts.Name), l.q(q.MaxAttempts.Name), l.quoteText(q.Dead), l.quoteText(q.Ready))
	s.add(", %s = NULL, %s = %s + 1", lease, l.q(w.Epoch.Name), l.q(w.Epoch.Name))
	s.add(", %s = %s", l.q(q.Error.Name), s.arg(argError, q.Error))
	s.add("\nWHERE %s = %s AND %s < %s", state, l.quoteText(q.Running), lease, s.now(w.Lease))
	return one(s.query(":execrows", nil))
}
