package dialect

import (
	"fmt"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// queries writes one query for each operation of a datatype, and two where a
// database needs two statements for it.
func (l *lowering) queries(d *model.Datatype) []model.Query {
	var out []model.Query
	for _, op := range d.Operations {
		for _, q := range l.operation(d, op) {
			q.Pos = d.Pos
			if q.Name == "" {
				q.Name = op.Name
			}
			out = append(out, q)
		}
	}
	return out
}

func (l *lowering) operation(d *model.Datatype, op *model.Operation) []model.Query {
	if op.Behavior != "" {
		return l.behaviors[op.Behavior].Lower(l.Writer, d, op)
	}
	switch op.Kind {
	case model.OpInsert:
		return l.insert(d)
	case model.OpGet:
		return l.get(d, op.Key)
	case model.OpUpdate:
		return l.update(d)
	case model.OpUpsert:
		return l.upsert(d, op.Key)
	case model.OpDelete:
		return statement.One(model.Query{Command: ":execrows", Text: sqltext.Delete(l.Dialect, d.Name), Params: []*model.Field{d.IDField()}})
	case model.OpList:
		return statement.One(model.Query{Command: ":many", Text: sqltext.List(l.Dialect, d.Name, statement.Names(d.Columns())), Params: []*model.Field{nil}, Columns: d.Columns()})
	}
	panic(fmt.Sprintf("dialect: there is no operation %q", op.Kind))
}

func (l *lowering) insert(d *model.Datatype) []model.Query {
	given := writable(d)
	databaseGivesID := d.ID == model.IDInteger
	q := model.Query{Command: ":exec", Text: sqltext.Insert(l.Dialect, d.Name, statement.Names(given), databaseGivesID), Params: given}
	switch {
	case databaseGivesID && l.Dialect == sqltext.Postgres:
		q.Command, q.Columns = ":one", []*model.Field{d.IDField()}
	case databaseGivesID:
		q.Command = ":execlastid"
	}
	return statement.One(q)
}

func (l *lowering) get(d *model.Datatype, key *model.Index) []model.Query {
	by := []*model.Field{d.IDField()}
	if key != nil {
		by = keyFields(key)
	}
	return statement.One(model.Query{
		Command: ":one", Text: sqltext.Get(l.Dialect, d.Name, statement.Names(d.Columns()), statement.Names(by)),
		Params: by, Columns: d.Columns(),
	})
}

func (l *lowering) update(d *model.Datatype) []model.Query {
	q := model.Query{
		Command: ":one", Text: sqltext.Update(l.Dialect, d.Name, statement.Names(d.Fields), statement.Names(d.Columns())),
		Params: append(append([]*model.Field{}, d.Fields...), d.IDField()), Columns: d.Columns(),
	}
	return statement.One(l.withoutReturning(q))
}

// upsert is one statement, but for MySQL: there it is a look with a lock and
// then the update or the insert, which are written anyway.
func (l *lowering) upsert(d *model.Datatype, key *model.Index) []model.Query {
	given, by := writable(d), keyFields(key)
	if l.Dialect == sqltext.MySQL {
		return statement.One(model.Query{
			Command: ":one", Text: sqltext.Lock(l.Dialect, d.Name, statement.Names(by)),
			Params: by, Columns: []*model.Field{d.IDField()},
		})
	}
	var set []*model.Field
	for _, f := range d.Fields {
		if !contains(by, f) {
			set = append(set, f)
		}
	}
	return statement.One(model.Query{
		Command: ":one", Text: sqltext.Upsert(l.Dialect, d.Name, statement.Names(given), statement.Names(by), statement.Names(set), statement.Names(d.Columns())),
		Params: given, Columns: d.Columns(),
	})
}

// withoutReturning is for MySQL, which changes rows without showing them.
func (l *lowering) withoutReturning(q model.Query) model.Query {
	if l.Dialect == sqltext.MySQL {
		q.Command, q.Columns = ":execrows", nil
	}
	return q
}

// writable is what an insert gives: all but an id that the database gives.
func writable(d *model.Datatype) []*model.Field {
	if d.ID == model.IDInteger {
		return d.Fields
	}
	return d.Columns()
}

func keyFields(key *model.Index) []*model.Field {
	out := make([]*model.Field, len(key.Columns))
	for i, c := range key.Columns {
		out[i] = c.Field
	}
	return out
}

func contains(fields []*model.Field, f *model.Field) bool {
	for _, o := range fields {
		if o == f {
			return true
		}
	}
	return false
}
