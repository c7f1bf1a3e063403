package queue

import (
	"strings"

	"github.com/hegner123/modulagen/runtime/queue/protocol"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// find writes the search for rows, and order their order with how many there are to be.
type (
	find  func(s *statement.Statement, columns string)
	order func(s *statement.Statement, alias string)
)

// some changes a bounded number of rows: those that find selects, the best first. The change
// is by their ids. MySQL would lock the entries of an index, by which it finds the rows,
// before the rows, while a claim changes rows and then their entries: each would wait for the
// other. There the query locks rows that nobody else has locked and returns their ids, for
// setHold and deleteEnded.
func (w work) some(change string, find find, order order) []model.Query {
	if w.Dialect == sqltext.MySQL {
		return statement.One(w.lockSome(find, order))
	}
	s := w.Statement()
	s.Add("%s\nWHERE ", change)
	w.among(s, find, order)
	return statement.One(s.Query(":execrows", nil))
}

// lockSome locks the rows that find selects, but for those that another transaction has locked.
func (w work) lockSome(find find, order order) model.Query {
	s := w.Statement()
	find(s, "id")
	order(s, "")
	s.Add("\nFOR UPDATE SKIP LOCKED")
	return s.Query(":many", []*model.Field{w.d.IDField()})
}

// among is the condition of the rows that find selects. SQLite and PostgreSQL pick their ids
// first, and PostgreSQL picks them once, into an array, and leaves out what others hold.
func (w work) among(s *statement.Statement, find find, order order) {
	begin, end := "id IN (\n", "\n)"
	if w.Dialect == sqltext.Postgres {
		begin, end = "id = ANY(ARRAY(\n", "\nFOR UPDATE SKIP LOCKED\n))"
	}
	s.Add("%s", begin)
	find(s, "due.id")
	order(s, "due.")
	s.Add("%s", end)
}

// from begins a search, whose columns may name its rows as due.
func (w work) from(s *statement.Statement, columns string) (alias string) {
	s.Add("SELECT %s\nFROM %s", columns, w.Quote(w.d.Name))
	if strings.HasPrefix(columns, "due.") {
		s.Add(" AS due")
		return "due."
	}
	return ""
}

// hold sets the hold of some rows.
func (w work) hold(hold string, find find, order order) []model.Query {
	return w.some("UPDATE "+w.Quote(w.d.Name)+"\nSET "+w.is(w.w.Hold, hold), find, order)
}

// setHold sets the hold of rows that MySQL has locked.
func (w work) setHold() []model.Query {
	if w.Dialect != sqltext.MySQL {
		return nil
	}
	s := w.update("")
	s.Add("%s = %s\nWHERE id IN (%s)", w.name(w.w.Hold), s.Arg(protocol.ArgHold, w.w.Hold), s.Arg(protocol.ArgID, w.d.IDField()))
	return statement.One(s.Query(":execrows", nil))
}

// prune deletes rows that ended longer ago than the span.
func (w work) prune(r *Retention) []model.Query {
	return w.some("DELETE FROM "+w.Quote(w.d.Name), func(s *statement.Statement, columns string) {
		alias := w.from(s, columns)
		s.Add("\nWHERE %s%s AND %s%s <= %s", alias, w.is(w.q.State, r.State), alias, w.name(w.q.CompletedAt), later(s, w.q.CompletedAt))
	}, func(s *statement.Statement, alias string) {
		s.Add("\nORDER BY %s\nLIMIT %s", w.sorted(alias, model.IndexColumn{Field: w.q.CompletedAt}), s.Arg(protocol.ArgLimit, nil))
	})
}

// deleteEnded deletes rows that MySQL has locked.
func (w work) deleteEnded() []model.Query {
	if w.Dialect != sqltext.MySQL {
		return nil
	}
	s := w.Statement()
	s.Add("DELETE FROM %s\nWHERE id IN (%s)", w.Quote(w.d.Name), s.Arg(protocol.ArgID, w.d.IDField()))
	return statement.One(s.Query(":execrows", nil))
}
