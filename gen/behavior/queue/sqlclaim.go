package queue

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// claim takes the first rows that are due, raises their epochs and gives them a
// lease. MySQL cannot show what it changed: there a locking read finds the
// rows, a second statement takes them, and a third reads them. Where these were few, a worker looks
// for rows that the first skipped with a fourth, without locks.
func (w work) claim(op *model.Operation) []model.Query {
	if w.Dialect == sqltext.MySQL {
		take, read := w.update(""), w.Statement()
		w.take(take)
		take.Add("\nWHERE id IN (%s)", take.Arg(protocol.ArgID, w.d.IDField()))
		read.Add("SELECT %s\nFROM %s\nWHERE id IN (%s)", w.Dialect.Columns(statement.Names(w.d.Columns())), w.Quote(w.d.Name), read.Arg(protocol.ArgID, w.d.IDField()))
		taking, reading := take.Query(":execrows", nil), read.Query(":many", w.d.Columns())
		taking.Name, reading.Name = op.Name+"Take", op.Name+"Read"
		return []model.Query{w.lockSome(w.due, w.best), taking, reading, w.skipped(op)}
	}
	s := w.update("")
	w.take(s)
	s.Add("\nWHERE ")
	w.among(s, w.due, w.best)
	s.Add("\nRETURNING %s", w.Dialect.Columns(statement.Names(w.d.Columns())))
	return statement.One(s.Query(":many", w.d.Columns()))
}

func (w work) skipped(op *model.Operation) model.Query {
	s := w.Statement()
	w.due(s, "id")
	s.Add("\nLIMIT %s", s.Arg(protocol.ArgLimit, nil))
	left := s.Query(":many", []*model.Field{w.d.IDField()})
	left.Name = op.Name + "Skipped"
	return left
}

func (w work) take(s *statement.Statement) {
	s.Add("%s", w.is(w.q.State, w.q.Running))
	for _, counter := range []*model.Field{w.q.Attempts, w.w.Epoch} {
		s.Add(", %s = %s + 1", w.name(counter), w.name(counter))
	}
	s.Add(", %s = %s", w.name(w.w.Lease), later(s, w.w.Lease))
	if w.q.StartedAt != nil {
		s.Add(", %s = %s", w.name(w.q.StartedAt), now(s, w.q.StartedAt))
	}
	if w.q.ClaimedBy != nil {
		s.Add(", %s = %s", w.name(w.q.ClaimedBy), s.Arg(protocol.ArgClaimant, w.q.ClaimedBy))
	}
}

// waiting begins the search for ready rows under a hold.
func (w work) waiting(s *statement.Statement, columns, hold string) (alias string) {
	alias = w.from(s, columns)
	s.Add("\nWHERE %s%s AND %s%s", alias, w.is(w.q.State, w.q.Ready), alias, w.is(w.w.Hold, hold))
	if hold != "" { // the partial index says it so
		s.Add(" AND %s%s <> ''", alias, w.name(w.w.Hold))
	}
	return alias
}

// due finds the rows that may be claimed.
func (w work) due(s *statement.Statement, columns string) {
	alias := w.waiting(s, columns, "")
	if f := w.w.Name; f != nil {
		s.Add(" AND %s%s = %s", alias, w.name(f), s.Arg(protocol.ArgName, f))
	}
	run := alias + w.name(w.q.RunAt)
	s.Add("\n  AND (%s IS NULL OR %s <= %s)", run, run, now(s, w.q.RunAt))
	if known := w.known(alias); known != "" {
		s.Add("\n  AND %s", known)
	}
}

// known is the condition of rows for which this program has a handler: its
// kinds, in no later version than its own.
func (w work) known(alias string) string {
	if len(w.q.Kinds) == 0 {
		return ""
	}
	kind := alias + w.name(w.q.KindField)
	var values, parts []string
	for _, k := range w.q.Kinds {
		values = append(values, w.QuoteText(k.Name))
		if w.w.Version != nil {
			parts = append(parts, fmt.Sprintf("%s = %s AND %s%s <= %d", kind, w.QuoteText(k.Name), alias, w.name(w.w.Version), k.Version))
		}
	}
	if parts != nil {
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	return w.OneOf(kind, values)
}

// best is the order of claims, and how many there are to be.
func (w work) best(s *statement.Statement, alias string) {
	s.Add("\nORDER BY ")
	for _, o := range w.w.Order {
		s.Add("%s, ", w.sorted(alias, o))
	}
	s.Add("%sid\nLIMIT %s", alias, s.Arg(protocol.ArgLimit, nil))
}

// sorted is a column to sort by, as its index has it.
func (w work) sorted(alias string, o model.IndexColumn) string {
	by := alias + w.name(o.Field)
	if o.Desc {
		by += " DESC"
	}
	if w.Dialect == sqltext.Postgres && !o.Field.NotNull {
		by += map[bool]string{false: " NULLS FIRST", true: " NULLS LAST"}[o.Desc]
	}
	return by
}

// promote lets rows be claimed whose time has come.
func (w work) promote() []model.Query {
	return w.hold("", func(s *statement.Statement, columns string) {
		alias := w.waiting(s, columns, protocol.HoldTime)
		s.Add(" AND %s%s <= %s", alias, w.name(w.q.RunAt), now(s, w.q.RunAt))
	}, w.soonest)
}

func (w work) soonest(s *statement.Statement, alias string) {
	s.Add("\nORDER BY %s\nLIMIT %s", w.sorted(alias, model.IndexColumn{Field: w.q.RunAt}), s.Arg(protocol.ArgLimit, nil))
}

// nextDue returns the time of the next row that waits for one.
func (w work) nextDue() []model.Query {
	s := w.Statement()
	w.waiting(s, w.name(w.q.RunAt), protocol.HoldTime)
	w.soonest(s, "")
	return statement.One(s.Query(":many", []*model.Field{w.q.RunAt}))
}

// unknownKind looks at the rows that would be claimed next for those that no
// handler of this program is for.
func (w work) unknownKind() []model.Query {
	s := w.Statement()
	columns := []*model.Field{w.d.IDField(), w.q.KindField}
	inner := "due.id, due." + w.name(w.q.KindField)
	known := "front." + w.name(w.q.KindField)
	if w.w.Version != nil {
		columns = append(columns, w.w.Version)
		inner += ", due." + w.name(w.w.Version)
	}
	s.Add("SELECT ")
	for i, c := range columns {
		if i > 0 {
			s.Add(", ")
		}
		s.Add("front.%s", w.name(c))
	}
	s.Add("\nFROM (\n")
	alias := w.waiting(s, inner, "")
	run := alias + w.name(w.q.RunAt)
	s.Add("\n  AND (%s IS NULL OR %s <= %s)", run, run, now(s, w.q.RunAt))
	w.best(s, alias)
	s.Add("\n) AS front\nWHERE NOT %s", w.known("front."))
	if !w.q.KindField.NotNull {
		s.Add(" OR %s IS NULL", known)
	}
	return statement.One(s.Query(":many", columns))
}

// park keeps a row from being looked at again by programs that do not know it.
func (w work) park() []model.Query {
	s := w.update(w.is(w.w.Hold, protocol.HoldKind))
	s.Add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.Arg(protocol.ArgError, w.q.Error), w.name(w.q.Error))
	s.Add("\nWHERE id = %s", s.Arg(protocol.ArgID, w.d.IDField()))
	s.Add(" AND %s AND %s", w.is(w.q.State, w.q.Ready), w.is(w.w.Hold, ""))
	return statement.One(s.Query(":execrows", nil))
}

// unpark lets this program's rows be claimed.
func (w work) unpark() []model.Query {
	return w.hold("", func(s *statement.Statement, columns string) {
		alias := w.waiting(s, columns, protocol.HoldKind)
		s.Add(" AND %s", w.known(alias))
	}, w.soonest)
}

// limitRunning counts what runs under a limit. A hold says nothing of what runs; a
// change of its time may leave one.
func (w work) limitRunning() []model.Query {
	s := w.Statement()
	s.Add("SELECT COUNT(*) AS used\nFROM %s\nWHERE %s", w.Quote(w.d.Name), w.is(w.q.State, w.q.Running))
	s.Add(" AND %s", w.OneOf(w.name(w.w.Hold), []string{w.QuoteText(""), w.QuoteText(protocol.HoldTime)}))
	s.Add(" AND %s = %s", w.name(w.w.Limit), s.Arg(protocol.ArgLimitKey, w.w.Limit))
	return statement.One(s.Query(":one", []*model.Field{nil}))
}

// holdLimited keeps rows under a limit that is reached from being looked at again and again.
func (w work) holdLimited() []model.Query {
	return w.hold(protocol.HoldLimit, func(s *statement.Statement, columns string) {
		alias := w.waiting(s, columns, "")
		s.Add(" AND %s%s = %s", alias, w.name(w.w.Limit), s.Arg(protocol.ArgLimitKey, w.w.Limit))
	}, w.best)
}

// releaseLimited lets the first rows under a limit be claimed, of the named queues
// that the worker claims from: others would take the room and stay where they are.
func (w work) releaseLimited() []model.Query {
	return w.hold("", func(s *statement.Statement, columns string) {
		alias := w.waiting(s, columns, protocol.HoldLimit)
		s.Add(" AND %s%s = %s", alias, w.name(w.w.Limit), s.Arg(protocol.ArgLimitKey, w.w.Limit))
		if f := w.w.Name; f != nil {
			s.Add(" AND %s%s %s", alias, w.name(f), s.Listed(protocol.ArgQueues, "text", f))
		}
	}, w.best)
}

// nextLimited goes through the limits under which rows are held, by name.
func (w work) nextLimited() []model.Query {
	s := w.Statement()
	w.waiting(s, w.name(w.w.Limit), protocol.HoldLimit)
	s.Add(" AND %s > %s", w.name(w.w.Limit), s.Arg(protocol.ArgLimitKey, w.w.Limit))
	s.Add("\nORDER BY %s\nLIMIT 1", w.name(w.w.Limit))
	return statement.One(s.Query(":many", []*model.Field{w.w.Limit}))
}
