package store

import (
	"context"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Table is the typed access to one datatype's rows: R is a row, ID its id, N a
// new row and P a patch. It is a small value; a transaction has its own.
type Table[R, ID, N, P any] struct {
	c  *Conn
	s  *Spec[R, ID, N, P]
	st *statements
}

// Bind gives the access to a datatype's rows through c. It costs next to
// nothing: a transaction does it for every datatype.
func Bind[R, ID, N, P any](c *Conn, s *Spec[R, ID, N, P]) Table[R, ID, N, P] {
	return Table[R, ID, N, P]{c: c, s: s, st: s.in(c.dialect)}
}

// Conn is what the table's statements run on.
func (t Table[R, ID, N, P]) Conn() *Conn { return t.c }

func (t Table[R, ID, N, P]) on(c *Conn) Table[R, ID, N, P] {
	t.c = c
	return t
}

// fail says on what an operation failed, and completes what the driver could
// not know. What is for the caller as it stands stays so.
func (t Table[R, ID, N, P]) fail(err error) error {
	if conflict, ok := errors.AsType[*ConflictError](err); ok {
		return t.conflict(conflict)
	}
	if _, ok := errors.AsType[*ValidationError](err); ok {
		return err
	}
	return fmt.Errorf("store: %s: %w", t.s.Name, err)
}

func (t Table[R, ID, N, P]) conflict(e *ConflictError) error {
	c := &ConflictError{Datatype: t.s.Name, Key: e.Key, Fields: e.Fields}
	for _, k := range t.s.Keys {
		fields := t.st.pick(k.Columns)
		if k.Name == e.Key || e.Key == "" && equalStrings(fields, e.Fields) {
			c.Key, c.Fields = k.Name, fields
			return c
		}
	}
	if len(c.Fields) == 0 && (c.Key == "PRIMARY" || c.Key == t.s.Name+"_pkey") {
		c.Fields = []string{"id"}
	}
	return c
}

func equalStrings(a, b []string) bool {
	if len(a) != len(b) {
		return false
	}
	for i := range a {
		if a[i] != b[i] {
			return false
		}
	}
	return true
}

// Get reads one row; ErrNotFound without it.
func (t Table[R, ID, N, P]) Get(ctx context.Context, id ID) (*R, error) {
	sc := t.s.take()
	defer t.s.give(sc)
	arg, err := t.idArg(id)
	if err != nil {
		return nil, err
	}
	sc.args = append(sc.args, arg)
	return t.one(ctx, t.st.get, sc)
}

// GetUnique reads the row that has these values in the columns of Keys[key];
// ErrNotFound without it.
func (t Table[R, ID, N, P]) GetUnique(ctx context.Context, key int, vals ...any) (*R, error) {
	sc := t.s.take()
	defer t.s.give(sc)
	cols := t.s.Keys[key].Columns
	if len(vals) != len(cols) {
		return nil, invalidf("%s: key %s has %d columns, not %d", t.s.Name, t.s.Keys[key].Name, len(cols), len(vals))
	}
	for i, v := range vals {
		arg, exact, err := t.s.Columns[cols[i]].argument(v)
		if err != nil {
			return nil, t.fail(err)
		}
		if !exact || arg == nil {
			return nil, t.fail(ErrNotFound)
		}
		sc.args = append(sc.args, arg)
	}
	r, err := t.one(ctx, t.st.byKey[key], sc)
	if err == nil && t.st.dialect == sqltext.MySQL && t.padded(cols, sc) {
		return nil, t.fail(ErrNotFound)
	}
	return r, err
}

// padded tells whether a row was found whose key differs in trailing spaces,
// which MySQL's comparison leaves out.
func (t Table[R, ID, N, P]) padded(cols []int, sc *scratch) bool {
	for i, c := range cols {
		wanted, ok := sc.args[i].(string)
		found, err := Plain(sc.dest[c])
		if ok && err == nil && found != any(wanted) {
			return true
		}
	}
	return false
}

// one runs a statement that gives one row.
func (t Table[R, ID, N, P]) one(ctx context.Context, sql string, sc *scratch) (*R, error) {
	r := new(R)
	sc.dest = t.s.Fields(r, sc.dest[:0])
	if err := t.c.QueryRow(ctx, sql, sc.args, sc.dest); err != nil {
		return nil, t.fail(err)
	}
	return r, nil
}

func (t Table[R, ID, N, P]) idArg(id ID) (any, error) {
	switch v := any(id).(type) {
	case int64, string:
		return v, nil
	}
	return plainNamed(id)
}

// Create adds a row and gives it as it is then. It fails with a
// *ValidationError that names every broken rule, a *ConflictError, or
// ErrReference.
func (t Table[R, ID, N, P]) Create(ctx context.Context, n N) (*R, error) {
	sc := t.s.take()
	defer t.s.give(sc)
	r := new(R)
	if _, err := t.prepare(&n, r, sc); err != nil {
		return nil, err
	}
	if err := t.insert(ctx, sc); err != nil {
		return nil, t.fail(err)
	}
	return r, nil
}

// prepare fills r, sc.dest and sc.vals from n and checks every rule.
func (t Table[R, ID, N, P]) prepare(n *N, r *R, sc *scratch) (m Mask, err error) {
	t.s.New(n, r, &m, Moment(t.c.db.opts.Now()))
	sc.dest = t.s.Fields(r, sc.dest[:0])
	normalize(sc.dest)
	if found := t.violations(sc, &m, nil); found != nil {
		return m, &ValidationError{Datatype: t.s.Name, Violations: found}
	}
	return m, nil
}

// insert writes the row of sc.vals, and puts the id that the database gave into
// sc.dest.
func (t Table[R, ID, N, P]) insert(ctx context.Context, sc *scratch) error {
	first := len(t.s.Columns) - len(t.st.insertAll)
	if first == 1 && t.st.dialect == sqltext.Postgres {
		return t.c.QueryRow(ctx, t.st.insert, sc.vals[1:], sc.dest[:1])
	}
	res, err := t.c.Exec(ctx, t.st.insert, sc.vals[first:])
	if err != nil || first == 0 {
		return err
	}
	return Assign(sc.dest[0], res.LastID)
}

// Update sets the columns that the patch sets and gives the row as it is then.
// An empty patch only reads. ErrNotFound without the row; otherwise it fails as
// Create does.
func (t Table[R, ID, N, P]) Update(ctx context.Context, id ID, p P) (*R, error) {
	sc := t.s.take()
	defer t.s.give(sc)
	r := new(R)
	var m Mask
	t.s.Patch(&p, r, &m)
	m.set.remove(0)
	sc.dest = t.s.Fields(r, sc.dest[:0])
	normalize(sc.dest)
	if found := t.violations(sc, &m, &m.set); found != nil {
		return nil, &ValidationError{Datatype: t.s.Name, Violations: found}
	}
	if m.set.empty() {
		return t.Get(ctx, id)
	}
	for i, v := range sc.vals {
		if m.set.has(i) {
			sc.args = append(sc.args, v)
		}
	}
	arg, err := t.idArg(id)
	if err != nil {
		return nil, err
	}
	sc.args = append(sc.args, arg)
	text := remembered(t.st, t.st.updates, m.set, func() string {
		return sqltext.Update(t.st.dialect, t.s.Name, t.st.pick(m.columns()), t.st.names)
	})
	if t.st.dialect == sqltext.MySQL {
		return t.updateThenRead(ctx, id, text, sc.args)
	}
	return t.one(ctx, text, sc)
}

func (t Table[R, ID, N, P]) updateThenRead(ctx context.Context, id ID, text string, args []any) (r *R, err error) {
	err = t.c.InTx(ctx, func(c *Conn) error {
		res, err := c.Exec(ctx, text, args)
		if err != nil {
			return t.fail(err)
		}
		if res.RowsAffected == 0 {
			return t.fail(ErrNotFound)
		}
		r, err = t.on(c).Get(ctx, id)
		return err
	})
	return r, err
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

// UpsertUnique adds a row, or, where one has the same values in the columns of
// Keys[key], sets the columns that n gives; columns that n leaves out keep what
// they have, and the id stays. It gives the row as it is then. A row that
// collides on another unique key is a *ConflictError.
func (t Table[R, ID, N, P]) UpsertUnique(ctx context.Context, key int, n N) (*R, error) {
	sc := t.s.take()
	defer t.s.give(sc)
	r := new(R)
	m, err := t.prepare(&n, r, sc)
	if err != nil {
		return nil, err
	}
	for _, c := range t.s.Keys[key].Columns {
		if sc.vals[c] == nil { // a null is never the same as another
			return nil, &ValidationError{Datatype: t.s.Name, Violations: []Violation{
				{t.s.Columns[c].Name, "null", "cannot be null in an upsert by it"},
			}}
		}
	}
	shape := upsertShape{key: key, set: m.set}
	shape.set.remove(0)
	for _, c := range t.s.Keys[key].Columns {
		shape.set.remove(c)
	}
	text := remembered(t.st, t.st.upserts, shape, func() string {
		set := Mask{set: shape.set}
		return sqltext.Upsert(t.st.dialect, t.s.Name, t.st.insertSet, t.st.pick(t.s.Keys[key].Columns),
			t.st.pick(set.columns()), t.st.names)
	})
	sc.args = append(sc.args, sc.vals[len(t.s.Columns)-len(t.st.insertAll):]...)
	if t.st.dialect == sqltext.MySQL {
		return t.upsertThenRead(ctx, key, text, sc)
	}
	return t.one(ctx, text, sc)
}

func (t Table[R, ID, N, P]) upsertThenRead(ctx context.Context, key int, text string, sc *scratch) (r *R, err error) {
	k := t.s.Keys[key]
	vals := make([]any, 0, len(k.Columns))
	for _, c := range k.Columns {
		vals = append(vals, sc.vals[c])
	}
	err = t.c.InTx(ctx, func(c *Conn) error {
		if _, err := c.Exec(ctx, text, sc.args); err != nil {
			return t.fail(err)
		}
		inner := &scratch{args: vals}
		r, err = t.on(c).one(ctx, t.st.byKey[key], inner)
		if errors.Is(err, ErrNotFound) { // it collided on another key, and nothing was written
			return &ConflictError{Datatype: t.s.Name}
		}
		return err
	})
	return r, err
}

// Delete removes a row; ErrNotFound without it, ErrReference while another row
// points to it and is not to go with it.
func (t Table[R, ID, N, P]) Delete(ctx context.Context, id ID) error {
	sc := t.s.take()
	defer t.s.give(sc)
	arg, err := t.idArg(id)
	if err != nil {
		return err
	}
	sc.args = append(sc.args, arg)
	res, err := t.c.Exec(ctx, t.st.del, sc.args)
	if err == nil && res.RowsAffected == 0 {
		err = ErrNotFound
	}
	if err != nil {
		return t.fail(err)
	}
	return nil
}
