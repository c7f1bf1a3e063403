package dialect

import (
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Reasons for which a ready row is not to be claimed, in its hold.
const (
	holdTime  = "time"  // it is not due
	holdLimit = "limit" // its gate is closed
	holdKind  = "kind"  // its kind is of another program
)

// claim takes the first rows that are due, raises their epochs and gives them a
// lease. MySQL cannot show what it changed: there a locking read finds the
// rows, a second statement takes them, and a third reads them.
func (w work) claim(op *model.Operation) []model.Query {
	if w.lowering.d == sqltext.MySQL {
		find, take, read := w.statement(), w.update(""), w.statement()
		w.due(find, "id")
		w.best(find, "")
		find.add("\nFOR UPDATE SKIP LOCKED")
		w.take(take)
		take.add("\nWHERE id IN (%s)", take.arg(argID, w.d.IDField()))
		read.add("SELECT %s\nFROM %s\nWHERE id IN (%s)", w.lowering.d.Columns(names(w.d.Columns())), w.lowering.q(w.d.Name), read.arg(argID, w.d.IDField()))
		taking, reading := take.query(":execrows", nil), read.query(":many", w.d.Columns())
		taking.Name, reading.Name = op.Name+"Take", op.Name+"Read"
		return []model.Query{find.query(":many", []*model.Field{w.d.IDField()}), taking, reading}
	}
	s := w.update("")
	w.take(s)
	w.among(s, w.due, w.best)
	s.add("\nRETURNING %s", w.lowering.d.Columns(names(w.d.Columns())))
	return one(s.query(":many", w.d.Columns()))
}

func (w work) take(s *statement) {
	s.add("%s", w.is(w.q.State, w.q.Running))
	for _, counter := range []*model.Field{w.q.Attempts, w.w.Epoch} {
		s.add(", %s = %s + 1", w.name(counter), w.name(counter))
	}
	s.add(", %s = %s", w.name(w.w.Lease), s.later(w.w.Lease))
	if w.q.StartedAt != nil {
		s.add(", %s = %s", w.name(w.q.StartedAt), s.now(w.q.StartedAt))
	}
}

// among changes a bounded number of rows: those that find gives, the best
// first. MySQL says so in the statement itself; the others pick ids first, and
// PostgreSQL picks them once, into an array, and leaves out what others hold.
func (w work) among(s *statement, find func(s *statement, columns string), order func(s *statement, alias string)) {
	switch w.lowering.d {
	case sqltext.Postgres:
		s.add("\nWHERE id = ANY(ARRAY(\n")
		find(s, "due.id")
		order(s, "due.")
		s.add("\nFOR UPDATE SKIP LOCKED\n))")
	case sqltext.SQLite:
		s.add("\nWHERE id IN (\n")
		find(s, "due.id")
		order(s, "due.")
		s.add("\n)")
	default:
		find(s, "")
		order(s, "")
	}
}

// waiting begins the search for ready rows under a hold. Without columns it is
// the condition of a change.
func (w work) waiting(s *statement, columns, hold string) (alias string) {
	if columns == "" {
		s.add("\nWHERE ")
	} else {
		s.add("SELECT %s\nFROM %s", columns, w.lowering.q(w.d.Name))
		if strings.HasPrefix(columns, "due.") {
			alias = "due."
			s.add(" AS due")
		}
		s.add("\nWHERE ")
	}
	s.add("%s%s AND %s%s", alias, w.is(w.q.State, w.q.Ready), alias, w.is(w.w.Hold, hold))
	if hold != "" { // the partial index says it so
		s.add(" AND %s%s <> ''", alias, w.name(w.w.Hold))
	}
	return alias
}

// due finds the rows that may be claimed.
func (w work) due(s *statement, columns string) {
	alias := w.waiting(s, columns, "")
	if f := w.w.Name; f != nil {
		s.add(" AND %s%s = %s", alias, w.name(f), s.arg(argName, f))
	}
	run := alias + w.name(w.q.RunAt)
	s.add("\n  AND (%s IS NULL OR %s <= %s)", run, run, s.now(w.q.RunAt))
	if known := w.known(alias); known != "" {
		s.add("\n  AND %s", known)
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
		values = append(values, w.quoteText(k.Name))
		if w.w.Version != nil {
			parts = append(parts, fmt.Sprintf("%s = %s AND %s%s <= %d", kind, w.quoteText(k.Name), alias, w.name(w.w.Version), k.Version))
		}
	}
	if parts != nil {
		return "(" + strings.Join(parts, " OR ") + ")"
	}
	return w.oneOf(kind, values)
}

// best is the order of claims, and how many there are to be.
func (w work) best(s *statement, alias string) {
	s.add("\nORDER BY ")
	for _, o := range w.w.Order {
		s.add("%s, ", w.sorted(alias, o))
	}
	s.add("%sid\nLIMIT %s", alias, s.arg(argLimit, nil))
}

// sorted is a column to sort by, as its index has it.
func (w work) sorted(alias string, o model.IndexColumn) string {
	by := alias + w.name(o.Field)
	if o.Desc {
		by += " DESC"
	}
	if w.lowering.d == sqltext.Postgres && !o.Field.NotNull {
		by += map[bool]string{false: " NULLS FIRST", true: " NULLS LAST"}[o.Desc]
	}
	return by
}

// promote lets rows be claimed whose time has come.
func (w work) promote() []model.Query {
	s := w.update(w.is(w.w.Hold, ""))
	w.among(s, func(s *statement, columns string) {
		alias := w.waiting(s, columns, holdTime)
		s.add(" AND %s%s <= %s", alias, w.name(w.q.RunAt), s.now(w.q.RunAt))
	}, w.soonest)
	return one(s.query(":execrows", nil))
}

func (w work) soonest(s *statement, alias string) {
	s.add("\nORDER BY %s\nLIMIT %s", w.sorted(alias, model.IndexColumn{Field: w.q.RunAt}), s.arg(argLimit, nil))
}

// nextDue gives the time of the next row that waits for one.
func (w work) nextDue() []model.Query {
	s := w.statement()
	w.waiting(s, w.name(w.q.RunAt), holdTime)
	w.soonest(s, "")
	return one(s.query(":many", []*model.Field{w.q.RunAt}))
}

// stranger looks at the rows that would be claimed next for those that no
// handler of this program is for.
func (w work) stranger() []model.Query {
	s := w.statement()
	columns := []*model.Field{w.d.IDField(), w.q.KindField}
	inner := "due.id, due." + w.name(w.q.KindField)
	known := "front." + w.name(w.q.KindField)
	if w.w.Version != nil {
		columns = append(columns, w.w.Version)
		inner += ", due." + w.name(w.w.Version)
	}
	s.add("SELECT ")
	for i, c := range columns {
		if i > 0 {
			s.add(", ")
		}
		s.add("front.%s", w.name(c))
	}
	s.add("\nFROM (\n")
	alias := w.waiting(s, inner, "")
	run := alias + w.name(w.q.RunAt)
	s.add("\n  AND (%s IS NULL OR %s <= %s)", run, run, s.now(w.q.RunAt))
	w.best(s, alias)
	s.add("\n) AS front\nWHERE NOT %s", w.known("front."))
	if !w.q.KindField.NotNull {
		s.add(" OR %s IS NULL", known)
	}
	return one(s.query(":many", columns))
}

// park keeps a row from being looked at again by programs that do not know it.
func (w work) park() []model.Query {
	s := w.update(w.is(w.w.Hold, holdKind))
	s.add(", %s = COALESCE(%s, %s)", w.name(w.q.Error), s.arg(argError, w.q.Error), w.name(w.q.Error))
	s.add("\nWHERE id = %s", s.arg(argID, w.d.IDField()))
	s.add(" AND %s AND %s", w.is(w.q.State, w.q.Ready), w.is(w.w.Hold, ""))
	return one(s.query(":execrows", nil))
}

// unpark lets this program's rows be claimed.
func (w work) unpark() []model.Query {
	s := w.update(w.is(w.w.Hold, ""))
	w.among(s, func(s *statement, columns string) {
		alias := w.waiting(s, columns, holdKind)
		s.add(" AND %s", w.known(alias))
	}, w.soonest)
	return one(s.query(":execrows", nil))
}

// prune deletes rows that ended longer ago than the span.
func (w work) prune(r *model.Retention) []model.Query {
	s := w.statement()
	s.add("DELETE FROM %s", w.lowering.q(w.d.Name))
	w.among(s, func(s *statement, columns string) {
		alias := ""
		if columns == "" {
			s.add("\nWHERE ")
		} else {
			alias = "due."
			s.add("SELECT %s\nFROM %s AS due\nWHERE ", columns, w.lowering.q(w.d.Name))
		}
		s.add("%s%s AND %s%s <= %s", alias, w.is(w.q.State, r.State), alias, w.name(w.q.CompletedAt), s.later(w.q.CompletedAt))
	}, func(s *statement, alias string) {
		s.add("\nORDER BY %s\nLIMIT %s", w.sorted(alias, model.IndexColumn{Field: w.q.CompletedAt}), s.arg(argLimit, nil))
	})
	return one(s.query(":execrows", nil))
}

// gateUsed counts what runs under a gate. A hold says nothing of what runs; a
// change of its time may leave one.
func (w work) gateUsed() []model.Query {
	s := w.statement()
	s.add("SELECT COUNT(*) AS used\nFROM %s\nWHERE %s", w.lowering.q(w.d.Name), w.is(w.q.State, w.q.Running))
	s.add(" AND %s", w.oneOf(w.name(w.w.Hold), []string{w.quoteText(""), w.quoteText(holdTime)}))
	s.add(" AND %s = %s", w.name(w.w.Gate), s.arg(argGate, w.w.Gate))
	return one(s.query(":one", []*model.Field{nil}))
}

// gateHold keeps rows under a closed gate from being looked at again and again.
func (w work) gateHold() []model.Query {
	s := w.update(w.is(w.w.Hold, holdLimit))
	w.among(s, func(s *statement, columns string) {
		alias := w.waiting(s, columns, "")
		s.add(" AND %s%s = %s", alias, w.name(w.w.Gate), s.arg(argGate, w.w.Gate))
	}, w.best)
	return one(s.query(":execrows", nil))
}

// gateOpen lets the first rows under a gate be claimed.
func (w work) gateOpen() []model.Query {
	s := w.update(w.is(w.w.Hold, ""))
	w.among(s, func(s *statement, columns string) {
		alias := w.waiting(s, columns, holdLimit)
		s.add(" AND %s%s = %s", alias, w.name(w.w.Gate), s.arg(argGate, w.w.Gate))
	}, w.best)
	return one(s.query(":execrows", nil))
}

// gateNext goes through the gates that hold rows, by name.
func (w work) gateNext() []model.Query {
	s := w.statement()
	w.waiting(s, w.name(w.w.Gate), holdLimit)
	s.add(" AND %s > %s", w.name(w.w.Gate), s.arg(argGate, w.w.Gate))
	s.add("\nORDER BY %s\nLIMIT 1", w.name(w.w.Gate))
	return one(s.query(":many", []*model.Field{w.w.Gate}))
}
