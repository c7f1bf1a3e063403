package queue

import (
	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/queue/protocol"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// The statements on the table that all queues share.

func (w work) limits() string { return w.Quote(w.q.Limits.Name) }

// byKey is the condition of the row with a key.
func (w work) byKey(s *statement.Statement) {
	s.Add("\nWHERE %s = %s", w.name(w.q.Limits.Key), s.Arg(protocol.ArgLimitKey, w.q.Limits.Key))
}

func (w work) paused() []model.Query {
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s", w.name(w.q.Limits.Paused), w.limits())
	w.byKey(s)
	return statement.One(s.Query(":one", []*model.Field{w.q.Limits.Paused}))
}

func (w work) setPaused() []model.Query {
	s := w.Statement()
	paused := w.q.Limits.Paused
	s.Add("UPDATE %s\nSET %s = %s", w.limits(), w.name(paused), s.Arg(protocol.ArgPaused, paused))
	w.byKey(s)
	return statement.One(s.Query(":execrows", nil))
}

// addLimit adds the row of a key, unless it is there.
func (w work) addLimit() []model.Query {
	s, l := w.Statement(), w.q.Limits
	insert, end := w.InsertNew(l.Key)
	s.Add("%s INTO %s (%s)\nVALUES (%s, %s, '', 0)%s", insert, w.limits(),
		w.Dialect.Columns([]string{l.Key.Name, l.Paused.Name, l.Used.Name, l.Seen.Name}),
		s.Arg(protocol.ArgLimitKey, l.Key), w.Literal(l.Paused, "false"), end)
	return statement.One(s.Query(":execrows", nil))
}

// lockLimit reads the starts under a key, and keeps others from counting until the
// transaction ends; on SQLite one transaction writes at a time anyway.
func (w work) lockLimit() []model.Query {
	s := w.Statement()
	s.Add("SELECT %s\nFROM %s", w.name(w.q.Limits.Used), w.limits())
	w.byKey(s)
	if w.Dialect != sqltext.SQLite {
		s.Add("\nFOR UPDATE")
	}
	return statement.One(s.Query(":one", []*model.Field{w.q.Limits.Used}))
}

func (w work) setLimit() []model.Query {
	s, l := w.Statement(), w.q.Limits
	s.Add("UPDATE %s\nSET %s = %s, %s = %s", w.limits(),
		w.name(l.Used), s.Arg(protocol.ArgUsed, l.Used), w.name(l.Seen), s.Arg(protocol.ArgSeen, l.Seen))
	w.byKey(s)
	return statement.One(s.Query(":execrows", nil))
}

// pruneLimits deletes keys of this queue that no row was admitted under for long. On MySQL
// it locks them, for deleteLimits.
func (w work) pruneLimits() []model.Query {
	s := w.Statement()
	id := []*model.Field{w.q.Limits.ID}
	switch w.Dialect {
	case sqltext.MySQL:
		s.Add("SELECT id\nFROM %s", w.limits())
		w.unused(s, "")
		s.Add("\nFOR UPDATE SKIP LOCKED")
		return statement.One(s.Query(":many", id))
	case sqltext.Postgres:
		s.Add("DELETE FROM %s\nWHERE id = ANY(ARRAY(\nSELECT unused.id\nFROM %s AS unused", w.limits(), w.limits())
		w.unused(s, "unused.")
		s.Add("\nFOR UPDATE SKIP LOCKED\n))")
	default:
		s.Add("DELETE FROM %s\nWHERE id IN (\nSELECT unused.id\nFROM %s AS unused", w.limits(), w.limits())
		w.unused(s, "unused.")
		s.Add("\n)")
	}
	return statement.One(s.Query(":execrows", nil))
}

// deleteLimits deletes keys that MySQL has locked.
func (w work) deleteLimits() []model.Query {
	if w.Dialect != sqltext.MySQL {
		return nil
	}
	s := w.Statement()
	s.Add("DELETE FROM %s\nWHERE id IN (%s)", w.limits(), s.Arg(protocol.ArgID, w.q.Limits.ID))
	return statement.One(s.Query(":execrows", nil))
}

// unused finds the limits of this queue that pruneLimits deletes: their keys are its
// name, alone or followed by a kind or by values.
func (w work) unused(s *statement.Statement, alias string) {
	l := w.q.Limits
	key := alias + w.name(l.Key)
	s.Add("\nWHERE %s%s = %s AND %s%s < %s", alias, w.name(l.Paused), w.Literal(l.Paused, "false"),
		alias, w.name(l.Seen), s.Arg(protocol.ArgSeen, l.Seen))
	s.Add("\n  AND (%s = %s OR SUBSTR(%s, 1, %d) IN (%s, %s))", key, w.QuoteText(w.d.Name),
		key, len(w.d.Name)+1, w.QuoteText(w.d.Name+"/"), w.QuoteText(w.d.Name+":"))
	s.Add("\nORDER BY %sid\nLIMIT 1000", alias)
}
