package core

import (
	"context"
	"errors"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Assignments is a patch that names columns by their numbers, for code that knows a
// datatype by its Spec alone. It may set a column that the patches of programs cannot.
type Assignments []Assignment

// Assignment sets a column to a value, which Assign could put into its place in a row.
type Assignment struct {
	Column int
	Value  any
}

// Filled is a new row for code that knows a datatype by its Spec alone: New is one without any
// values, a *N, and With sets them.
type Filled struct {
	New  any
	With Assignments
}

// fill puts what a patch sets into row, and marks it.
func (a access) fill(p, row any, m *Mask) error {
	list, ok := p.(Assignments)
	if !ok {
		a.s.Patch(p, row, m)
		return nil
	}
	places := a.s.Fields(row, nil)
	for _, s := range list {
		if err := Assign(places[s.Column], s.Value); err != nil {
			return a.fail(err)
		}
		m.Add(s.Column)
	}
	return nil
}

// conditionRounds is how often a row may fail a condition that it meets when it is looked
// at after that.
const conditionRounds = 4

// updateIf is updateRow for a row that has to meet a condition. One that does not is
// ErrStale, and row is then what it holds.
func (a access) updateIf(ctx context.Context, id any, where *filter.Node, set columnSet, vals []any, row any) error {
	b := a.builder()
	a.writeIf(b, set, vals, withID(id, where))
	if b.err != nil {
		return b.err
	}
	for range conditionRounds {
		err := a.changeIf(ctx, id, b, set, row)
		if !errors.Is(err, store.ErrNotFound) {
			return a.pointing(ctx, err, vals, &set)
		}
		err = a.unmet(ctx, id, where, row)
		if err != nil {
			return err
		}
	}
	return a.fail(Coded(store.ErrBusy, errors.New("others change the row all the time")))
}

// withID keeps the row with an id if it meets a condition.
func withID(id any, where *filter.Node) *filter.Node {
	return &filter.Node{Op: filter.And, Kids: []*filter.Node{{Op: filter.Eq, Col: 0, Args: []any{id}}, where}}
}

// writeIf writes the UPDATE of the rows that a filter keeps; one that sets nothing is a
// SELECT.
func (a access) writeIf(b *builder, set columnSet, vals []any, where *filter.Node) {
	if set.empty() {
		b.write(a.st.selectAll)
		b.where(where, nil)
		return
	}
	a.writeSet(b, set, vals)
	b.where(where, nil)
	if a.st.dialect != sqltext.MySQL {
		b.write("\nRETURNING ", a.st.dialect.Columns(a.st.names))
	}
}

// writeSet begins an UPDATE.
func (a access) writeSet(b *builder, set columnSet, vals []any) {
	m := Mask{set: set}
	b.write("UPDATE ", a.st.table)
	for i, c := range m.columns() {
		if i == 0 {
			b.write("\nSET ")
		} else {
			b.write(",\n    ")
		}
		b.write(b.quoted[c], " = ")
		b.bind(vals[c])
	}
}

// changeIf runs what writeIf wrote and reads the row; ErrNotFound where it met no row.
func (a access) changeIf(ctx context.Context, id any, b *builder, set columnSet, row any) error {
	if a.st.dialect == sqltext.MySQL && !set.empty() {
		return a.updateThenRead(ctx, id, string(b.sql), row, b.args)
	}
	return a.oneOf(ctx, b, row)
}

// unmet returns why a row did not meet a condition: ErrStale, with the row as it is, or
// ErrNotFound. It returns nil where the row meets it by now.
func (a access) unmet(ctx context.Context, id any, where *filter.Node, row any) error {
	b := a.builder()
	b.write(a.st.selectAll)
	b.where(withID(id, &filter.Node{Op: filter.Not, Kids: []*filter.Node{where}}), nil)
	err := a.oneOf(ctx, b, row)
	switch {
	case err == nil:
		return a.fail(store.ErrStale)
	case errors.Is(err, store.ErrNotFound):
		return a.get(ctx, id, row)
	}
	return err
}

// updateSome changes up to limit of the rows that where keeps, those with the smallest ids.
func (a access) updateSome(ctx context.Context, where *filter.Node, p any, limit int) (n int64, err error) {
	sc := a.s.take()
	defer a.s.give(sc)
	set, err := a.preparePatch(p, a.s.Row(), sc)
	if err != nil || set.empty() {
		return 0, err
	}
	err = a.affecting(ctx, Updated, func(in access, f following) (changes []Change, err error) {
		err = in.c.InTx(ctx, func(c *Conn) error {
			changes, n, err = in.on(c).updateLockedRows(ctx, where, set, sc.vals, f.rows(), min(limit, EffectBatch))
			return err
		})
		return changes, err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// updateLockedRows locks rows before it changes them: no one else changes them between what
// effects get as the rows before and after.
func (a access) updateLockedRows(ctx context.Context, where *filter.Node, set columnSet, vals []any, rows bool, limit int) (changes []Change, n int64, err error) {
	changes, err = a.lockRows(ctx, where, rows, limit)
	if err != nil || len(changes) == 0 {
		return nil, 0, err
	}
	for i := range changes {
		changes[i].Op = Updated
	}
	b := a.builder()
	a.writeSet(b, set, vals)
	b.where(listed(0, changes), nil)
	if b.err != nil {
		return nil, 0, b.err
	}
	res, err := a.c.Exec(ctx, string(b.sql), b.args)
	if err != nil {
		return nil, 0, a.fail(a.pointing(ctx, err, vals, &set))
	}
	if rows {
		err = a.readAfter(ctx, changes)
	}
	return changes, res.RowsAffected, err
}

// readAfter fills After of changes with the rows as they are.
func (a access) readAfter(ctx context.Context, changes []Change) error {
	rows, err := a.lockRows(ctx, listed(0, changes), true, len(changes))
	if err != nil {
		return err
	}
	found := make(map[any]any, len(rows))
	for _, row := range rows {
		found[row.ID] = row.Before
	}
	for i := range changes {
		changes[i].After = found[changes[i].ID]
	}
	return nil
}
