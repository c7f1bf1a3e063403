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

// updateIf is updateRow for a row that has to meet a condition, its own or that of what it
// changes in place. One that does not is ErrStale or a ValidationError, and row is then what it holds.
func (a access) updateIf(ctx context.Context, id any, where *filter.Node, to patch, row any) error {
	if where == nil {
		where = &filter.Node{Op: filter.All}
	}
	b := a.builder()
	a.writeIf(b, to, withID(id, &filter.Node{Op: filter.And, Kids: append(to.fits(), where)}))
	if b.err != nil {
		return b.err
	}
	for range conditionRounds {
		err := a.changeIf(ctx, id, b, to.empty(), row)
		if !errors.Is(err, store.ErrNotFound) {
			return a.written(ctx, err, to.vals, &to.set, to.steps...)
		}
		if err := a.unmet(ctx, id, where, row); err != nil {
			return err
		}
		if found := a.broken(to.steps, row); found != nil {
			return &store.ValidationError{Datatype: a.s.Name, Violations: found}
		}
	}
	return a.fail(Coded(store.ErrBusy, errors.New("others change the row all the time")))
}

// withID keeps the row with an id if it meets a condition.
func withID(id any, where *filter.Node) *filter.Node {
	return &filter.Node{Op: filter.And, Kids: []*filter.Node{{Op: filter.Eq, Col: 0, Args: []any{id}}, where}}
}

// writeIf writes the UPDATE of the rows that a filter keeps; one that changes nothing is a
// SELECT.
func (a access) writeIf(b *builder, to patch, where *filter.Node) {
	if to.empty() {
		b.write(a.st.selectAll)
		b.where(where, nil)
		return
	}
	a.writeSet(b, to)
	b.where(where, nil)
	if a.st.dialect != sqltext.MySQL {
		b.write("\nRETURNING ", a.st.dialect.Columns(a.st.names))
	}
}

// writeSet begins an UPDATE.
func (a access) writeSet(b *builder, to patch) {
	m := Mask{set: to.set}
	b.write("UPDATE ", a.st.table)
	next := "\nSET "
	for _, c := range m.columns() {
		b.write(next, b.quoted[c], " = ")
		b.bind(to.vals[c])
		next = ",\n    "
	}
	for i := range to.steps {
		b.write(next, b.quoted[to.steps[i].col], " = ")
		b.step(&to.steps[i])
		next = ",\n    "
	}
	for _, c := range a.raised() {
		b.write(next, a.st.dialect.Quote(c), " = ", a.st.dialect.Quote(c), " + 1")
		next = ",\n    "
	}
}

// changeIf runs what writeIf wrote and reads the row; ErrNotFound where it met no row.
func (a access) changeIf(ctx context.Context, id any, b *builder, reads bool, row any) error {
	if a.st.dialect == sqltext.MySQL && !reads {
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
	to, err := a.preparePatch(p, a.s.Row(), sc)
	if err != nil || to.empty() {
		return 0, err
	}
	err = a.affecting(ctx, Updated, func(in access, f following) (changes []Change, err error) {
		err = in.c.InTx(ctx, func(c *Conn) error {
			in := in.on(c)
			if changes, err = in.lockRows(ctx, where, f.rows(), min(limit, EffectBatch)); err != nil || len(changes) == 0 {
				return err
			}
			n, err = in.updateChanged(ctx, changes, to, f.rows())
			return err
		})
		return changes, err
	})
	if err != nil {
		return 0, err
	}
	return n, nil
}

// updateWhere changes the rows that where keeps, all or none.
func (a access) updateWhere(ctx context.Context, where *filter.Node, p any) (total int64, err error) {
	if keepsAll(where) {
		return 0, invalidf("%s: UpdateWhere with a condition that every row meets; to change every row, say store.Everything with the type of the ids", a.s.Name)
	}
	sc := a.s.take()
	defer a.s.give(sc)
	to, err := a.preparePatch(p, a.s.Row(), sc)
	if err != nil || to.empty() {
		return 0, err
	}
	err = a.affecting(ctx, Updated, func(in access, f following) ([]Change, error) {
		if len(to.steps) == 0 && f.announced {
			total, err = in.updateRows(ctx, where, to)
			return make([]Change, min(total, 1)), err // that there were some is all that counts
		}
		total = 0
		err := in.c.InTx(ctx, func(c *Conn) error {
			in := in.on(c)
			return in.eachLocked(ctx, where, f.rows(), func(changes []Change) error {
				n, err := in.updateChanged(ctx, changes, to, f.rows())
				if total += n; err != nil {
					return err
				}
				return f.run(ctx, c, changes) // here, so that few are held in memory at a time
			})
		})
		if err == nil && total > 0 {
			f.announce(in.c)
		}
		return nil, err
	})
	if err != nil {
		return 0, err
	}
	return total, nil
}

// updateChanged changes rows that are locked: no one else changes them between what effects get as
// the rows before and after.
func (a access) updateChanged(ctx context.Context, changes []Change, to patch, rows bool) (int64, error) {
	for i := range changes {
		changes[i].Op = Updated
	}
	where := listed(0, changes)
	if err := a.fitting(ctx, where, to.steps); err != nil {
		return 0, err
	}
	n, err := a.updateRows(ctx, where, to)
	if err == nil && rows {
		err = a.readAfter(ctx, changes)
	}
	return n, err
}

func (a access) updateRows(ctx context.Context, where *filter.Node, to patch) (int64, error) {
	b := a.builder()
	a.writeSet(b, to)
	b.where(where, nil)
	if b.err != nil {
		return 0, b.err
	}
	res, err := a.c.Exec(ctx, string(b.sql), b.args)
	if err != nil {
		return 0, a.fail(a.written(ctx, err, to.vals, &to.set, to.steps...))
	}
	return res.RowsAffected, nil
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
