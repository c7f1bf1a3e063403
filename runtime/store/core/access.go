package core

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// access does the work of Table, with a datatype's statements in the dialect of its
// connection.
type access struct {
	c  *Conn
	s  *Spec
	st *statements
}

func (a access) on(c *Conn) access {
	a.c = c
	return a
}

// fail says on what an operation failed, and completes what the driver could
// not know. What is for the caller as it stands stays so.
func (a access) fail(err error) error {
	err = a.c.db.explain(err, a.s.Name)
	switch e := err.(type) {
	case *store.ConflictError:
		a.named(e)
		return e
	case *store.ValidationError, *store.ReferenceError, *RefusedError:
		return err
	}
	return fmt.Errorf("store: %s: %w", a.s.Name, err)
}

// named completes a conflict where Open was given no schema to know it by.
func (a access) named(e *store.ConflictError) {
	for _, k := range a.s.Keys {
		fields := a.st.pick(k.Columns)
		if len(e.Fields) == 0 && k.Name == e.Key || e.Key == "" && slices.Equal(fields, e.Fields) {
			e.Key, e.Fields = k.Name, fields
		}
	}
}

// idArg is an id as a statement takes it; ErrNotFound for one that no row has.
func (a access) idArg(id any) (any, error) {
	switch id.(type) {
	case int64, string:
	default:
		var err error
		if id, err = Plain(id); err != nil {
			return nil, err
		}
	}
	if s, ok := id.(string); ok && !validULID(s) {
		return nil, a.fail(store.ErrNotFound)
	}
	return id, nil
}

func (a access) get(ctx context.Context, id, row any) error {
	sc := a.s.take()
	defer a.s.give(sc)
	arg, err := a.idArg(id)
	if err != nil {
		return err
	}
	sc.args = append(sc.args, arg)
	return a.one(ctx, a.st.get, row, sc)
}

func (a access) getUnique(ctx context.Context, key int, vals []any, row any) error {
	sc := a.s.take()
	defer a.s.give(sc)
	cols := a.s.Keys[key].Columns
	if len(vals) != len(cols) {
		return invalidf("%s: key %s has %d columns, not %d", a.s.Name, a.s.Keys[key].Name, len(cols), len(vals))
	}
	for i, v := range vals {
		arg, exact, err := a.s.Columns[cols[i]].compared(a.s.Name, v)
		if err != nil {
			return a.fail(err)
		}
		if !exact || arg == nil {
			return a.fail(store.ErrNotFound)
		}
		sc.args = append(sc.args, arg)
	}
	return a.one(ctx, a.st.byKey[key], row, sc)
}

// one runs a statement that gives one row.
func (a access) one(ctx context.Context, sql string, row any, sc *scratch) error {
	sc.dest = a.s.Fields(row, sc.dest[:0])
	if err := a.c.QueryRow(ctx, sql, sc.args, sc.dest); err != nil {
		return a.fail(err)
	}
	return nil
}

func (a access) create(ctx context.Context, n, row any) error {
	if len(a.s.Effects) > 0 {
		return a.createWithEffects(ctx, n, row)
	}
	return a.createRow(ctx, n, row)
}

func (a access) createRow(ctx context.Context, n, row any) error {
	sc := a.s.take()
	defer a.s.give(sc)
	if _, err := a.prepare(n, row, sc); err != nil {
		return err
	}
	if err := a.insert(ctx, sc); err != nil {
		return a.fail(err)
	}
	return nil
}

// prepare fills row, sc.dest and sc.vals from n and checks every rule.
func (a access) prepare(n, row any, sc *scratch) (m Mask, err error) {
	filled, ok := n.(*Filled)
	if ok {
		n = filled.New
	}
	a.s.New(n, row, &m, Moment(a.c.db.opts.Now()))
	if ok {
		if err := a.fill(filled.With, row, &m); err != nil {
			return m, err
		}
	}
	sc.dest = a.s.Fields(row, sc.dest[:0])
	a.s.normalize(sc.dest)
	found := a.violations(sc, &m, nil)
	for _, r := range m.relative {
		found = append(found, store.Violation{Field: a.s.Columns[r.col].Name, Rule: "value", Message: "has no value yet that could be changed: set one"})
	}
	if found != nil {
		return m, &store.ValidationError{Datatype: a.s.Name, Violations: found}
	}
	return m, nil
}

// insert writes the row of sc.vals, and puts what the database made of it into
// sc.dest: the id that it gave, documents in its own form.
func (a access) insert(ctx context.Context, sc *scratch) error {
	first := len(a.s.Columns) - len(a.st.insertAll)
	if len(a.st.rewritten) > 0 {
		places := make([]any, len(a.st.rewritten))
		for i, c := range a.st.rewritten {
			places[i] = sc.dest[c]
		}
		return a.written(ctx, a.c.QueryRow(ctx, a.st.insert, sc.vals[first:], places), sc.vals, nil)
	}
	res, err := a.c.Exec(ctx, a.st.insert, sc.vals[first:])
	if err != nil || first == 0 {
		return a.written(ctx, err, sc.vals, nil)
	}
	return Assign(sc.dest[0], res.LastID)
}

// update changes a row. With a condition it must meet that, see updateIf.
func (a access) update(ctx context.Context, id any, where *filter.Node, p, row any) error {
	if len(a.s.Effects) > 0 {
		return a.updateWithEffects(ctx, id, where, p, row)
	}
	_, err := a.updateRow(ctx, id, where, p, row)
	return err
}

// patch is what a write sets and changes in the rows that it is about.
type patch struct {
	set   columnSet
	vals  []any // by column, of those in set
	steps []step
}

func (p *patch) empty() bool { return p.set.empty() && len(p.steps) == 0 }

// preparePatch fills row, sc.dest and sc.vals from p, checks the rules of what it sets, and
// returns that.
func (a access) preparePatch(p, row any, sc *scratch) (patch, error) {
	var m Mask
	if err := a.fill(p, row, &m); err != nil {
		return patch{}, err
	}
	m.set.remove(0)
	sc.dest = a.s.Fields(row, sc.dest[:0])
	a.touch(&m, sc.dest)
	a.s.normalize(sc.dest)
	found := a.violations(sc, &m, &m.set)
	steps, broken := a.steps(&m)
	if found = append(found, broken...); found != nil {
		return patch{}, &store.ValidationError{Datatype: a.s.Name, Violations: found}
	}
	return patch{m.set, sc.vals, steps}, nil
}

// updateRow reports whether it wrote: an empty patch only reads the row.
func (a access) updateRow(ctx context.Context, id any, where *filter.Node, p, row any) (wrote bool, err error) {
	sc := a.s.take()
	defer a.s.give(sc)
	to, err := a.preparePatch(p, row, sc)
	switch {
	case err != nil:
		return false, err
	case to.empty() && where == nil:
		return false, a.get(ctx, id, row)
	}
	arg, err := a.idArg(id)
	if err != nil {
		return false, err
	}
	if where != nil || len(to.steps) > 0 {
		return !to.empty(), a.updateIf(ctx, arg, where, to, row)
	}
	for i, v := range sc.vals {
		if to.set.has(i) {
			sc.args = append(sc.args, v)
		}
	}
	sc.args = append(sc.args, arg)
	text := a.updateText(to.set)
	if a.st.dialect == sqltext.MySQL {
		return true, a.written(ctx, a.updateThenRead(ctx, id, text, row, sc.args), sc.vals, &to.set)
	}
	return true, a.written(ctx, a.one(ctx, text, row, sc), sc.vals, &to.set)
}

// touch has a change of a row, if it is one, also set the column that keeps its moment.
func (a access) touch(m *Mask, row []any) {
	if c := a.s.Touched; c != 0 && !m.empty() {
		*row[c].(*time.Time) = Moment(a.c.db.opts.Now())
		m.set.add(c)
	}
}

// updateText sets columns of the row with one id.
func (a access) updateText(set columnSet) string {
	return remembered(a.st, a.st.updates, set, func() string {
		m := Mask{set: set}
		return sqltext.Update(a.st.dialect, a.s.Name, a.st.pick(m.columns()), a.st.names, a.raised()...)
	})
}

// raised names the column that each change of a row raises.
func (a access) raised() []string {
	if a.s.Version == 0 {
		return nil
	}
	return []string{a.st.names[a.s.Version]}
}

func (a access) updateThenRead(ctx context.Context, id any, text string, row any, args []any) error {
	return a.c.InTx(ctx, func(c *Conn) error {
		res, err := c.Exec(ctx, text, args)
		if err != nil {
			return a.fail(err)
		}
		if res.RowsAffected == 0 {
			return a.fail(store.ErrNotFound)
		}
		return a.on(c).get(ctx, id, row)
	})
}

// columns lists what was set, in order.
func (m *Mask) columns() []int {
	var cols []int
	for i := range MaxColumns {
		if m.set.has(i) {
			cols = append(cols, i)
		}
	}
	return cols
}

func (a access) upsertUnique(ctx context.Context, key int, n, row any) error {
	if len(a.s.Effects) > 0 {
		return a.upsertWithEffects(ctx, key, n, row)
	}
	return a.upsertRow(ctx, key, n, row)
}

// prepareUpsert fills row and sc as prepare does, and returns the columns that
// an existing row is to take, and the values of the key.
func (a access) prepareUpsert(key int, n, row any, sc *scratch) (set columnSet, by []any, err error) {
	m, err := a.prepare(n, row, sc)
	if err != nil {
		return set, nil, err
	}
	m.set.remove(0)
	if w := a.s.Workflow; w != nil {
		m.set.remove(w.Column)
	}
	by = make([]any, len(a.s.Keys[key].Columns))
	for i, c := range a.s.Keys[key].Columns {
		if sc.vals[c] == nil { // a null is never the same as another
			return set, nil, &store.ValidationError{Datatype: a.s.Name, Violations: []store.Violation{
				{Field: a.s.Columns[c].Name, Rule: "null", Message: "cannot be null in an upsert by it"},
			}}
		}
		m.set.remove(c)
		by[i] = sc.vals[c]
	}
	if c := a.s.Touched; c != 0 && !m.set.empty() {
		m.set.add(c) // a new row has the moment there already
	}
	return m.set, by, nil
}

func (a access) upsertRow(ctx context.Context, key int, n, row any) error {
	sc := a.s.take()
	defer a.s.give(sc)
	set, by, err := a.prepareUpsert(key, n, row, sc)
	if err != nil {
		return err
	}
	shape := upsertShape{key: key, set: set}
	if a.st.dialect == sqltext.MySQL {
		return a.upsertLocked(ctx, shape, by, row, sc.vals)
	}
	text := remembered(a.st, a.st.upserts, shape, func() string {
		set := Mask{set: shape.set}
		return sqltext.Upsert(a.st.dialect, a.s.Name, a.st.insertSet, a.st.pick(a.s.Keys[key].Columns),
			a.st.pick(set.columns()), a.st.names, a.raised()...)
	})
	sc.args = append(sc.args, sc.vals[len(a.s.Columns)-len(a.st.insertAll):]...)
	return a.written(ctx, a.one(ctx, text, row, sc), sc.vals, nil)
}

func (a access) delete(ctx context.Context, id any) error {
	if a.s.followed(Deleted) {
		return a.deleteWithEffects(ctx, id)
	}
	arg, err := a.idArg(id)
	if err != nil {
		return err
	}
	return a.deleteRow(ctx, arg)
}

func (a access) deleteRow(ctx context.Context, arg any) error {
	sc := a.s.take()
	defer a.s.give(sc)
	sc.args = append(sc.args, arg)
	res, err := a.c.Exec(ctx, a.st.del, sc.args)
	if err == nil && res.RowsAffected == 0 {
		err = store.ErrNotFound
	}
	if err != nil {
		return a.fail(a.pointed(ctx, err, arg))
	}
	return nil
}
