package cache

import (
	"fmt"

	"github.com/hegner123/modulagen/runtime/cache/protocol"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// deleteReturning removes a bounded number of entries, which from finds in an order, and returns
// their keys and sizes. MySQL, which cannot show what it deletes, finds and locks them first, in
// the order of their ids, in which everyone else does.
func (t cached) deleteReturning(from found) []model.Query {
	s := t.l.Statement()
	gone := []*model.Field{t.c.Key, t.c.Size}
	limit := func() { s.Add("\nLIMIT %s", s.Arg(protocol.ArgLimit, nil)) }
	if t.l.Dialect == sqltext.MySQL {
		s.Add("SELECT e.id, e.%s, e.%s\nFROM ", t.name(t.c.Key), t.name(t.c.Size))
		from(s)
		limit()
		s.Add("\nFOR UPDATE")
		return statement.One(s.Query(":many", append([]*model.Field{t.d.IDField()}, gone...)))
	}
	s.Add("DELETE FROM %s\nWHERE id IN (\nSELECT e.id\nFROM ", t.table())
	from(s)
	limit()
	s.Add("\n)\nRETURNING %s", t.l.Dialect.Columns(statement.Names(gone)))
	return statement.One(s.Query(":many", gone))
}

// drop removes what MySQL has found: the ids are a list.
func (t cached) drop(*model.Operation) []model.Query {
	if t.l.Dialect != sqltext.MySQL {
		return nil
	}
	s := t.l.Statement()
	s.Add("DELETE FROM %s\nWHERE id IN (%s)", t.table(), s.Arg(protocol.ArgID, t.d.IDField()))
	return statement.One(s.Query(":execrows", nil))
}

// tagged finds entries by their tags. A tag counts while its token is that of the
// value, or that of the load that makes the next one.
func (t cached) tagged(s *statement.Statement, which func() string) {
	token := "g." + t.tagField(2)
	s.Add("%s AS g JOIN %s AS e ON e.id = g.%s\nWHERE %s", t.tags(), t.table(), t.tagField(1), which())
	s.Add(" AND (%s = e.%s OR %s = e.%s)", token, t.name(t.c.Token), token, t.name(t.c.Lease))
}

// found writes what follows FROM where entries, as e, are found by.
type found func(s *statement.Statement)

func (t cached) ofTag(s *statement.Statement) {
	t.tagged(s, func() string {
		return fmt.Sprintf("g.%s = %s", t.tagField(0), s.Arg(protocol.ArgTag, t.c.TagTable.Fields[0]))
	})
}

func (t cached) ofTags(s *statement.Statement) {
	t.tagged(s, func() string { return t.between(s, "g."+t.tagField(0), t.c.TagTable.Fields[0]) })
}

func (t cached) ofKeys(s *statement.Statement) {
	s.Add("%s AS e\nWHERE %s", t.table(), t.between(s, "e."+t.name(t.c.Key), t.c.Key))
}

func (t cached) dropTag(*model.Operation) []model.Query {
	return t.deleteReturning(func(s *statement.Statement) {
		t.ofTag(s)
		s.Add("\nORDER BY g.%s", t.tagField(1))
	})
}

func (t cached) dropTags(*model.Operation) []model.Query { return t.deleteReturning(t.ofTags) }

func (t cached) dropKeys(*model.Operation) []model.Query {
	return t.deleteReturning(func(s *statement.Statement) {
		t.ofKeys(s)
		s.Add("\nORDER BY e.%s", t.name(t.c.Key))
	})
}

// has finds, without a lock, an entry that would be removed. Where there is one writer nobody asks.
func (t cached) has(of found) func(*model.Operation) []model.Query {
	return func(*model.Operation) []model.Query {
		if t.l.Dialect == sqltext.SQLite {
			return nil
		}
		s := t.l.Statement()
		s.Add("SELECT e.id\nFROM ")
		of(s)
		s.Add("\nLIMIT 1")
		return statement.One(s.Query(":many", []*model.Field{t.d.IDField()}))
	}
}

func (t cached) between(s *statement.Statement, column string, f *model.Field) string {
	from := s.Arg(protocol.ArgFrom, f)
	return fmt.Sprintf("%s >= %s AND %s < %s", column, from, column, s.Arg(protocol.ArgTo, f))
}

func (t cached) dropOld(*model.Operation) []model.Query {
	return t.deleteReturning(func(s *statement.Statement) {
		at := "e." + t.name(t.c.ExpiresAt)
		s.Add("%s AS e\nWHERE %s <= %s\nORDER BY %s", t.table(), at, t.moment(s, t.c.ExpiresAt), at)
	})
}

func (t cached) dropUnused(*model.Operation) []model.Query {
	return t.deleteReturning(func(s *statement.Statement) {
		s.Add("%s AS e\nORDER BY e.%s, e.id", t.table(), t.name(t.c.UsedAt))
	})
}

func (t cached) dropAll(*model.Operation) []model.Query {
	return t.deleteReturning(func(s *statement.Statement) {
		s.Add("%s AS e\nWHERE e.id <= %s\nORDER BY e.id", t.table(), s.Arg(protocol.ArgID, t.d.IDField()))
	})
}
