package core

import (
	"context"
	"reflect"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
)

// Table reads and writes the rows of one datatype without knowing its types: a
// row is passed as a *R, a new row as a *N, a patch as a *P, an id as an int64 or
// a string, each as any. It is compiled once, however many datatypes there are;
// the methods of a generated table add the types, and are what a program calls.
//
// It is a small value; a transaction has its own. The errors of each method are
// those that the generated method documents.
type Table struct {
	c *Conn
	s *Spec
}

// Bind returns the access to a datatype's rows through c. It costs next to
// nothing: a transaction does it for every datatype.
func Bind(c *Conn, s *Spec) Table { return Table{c, s} }

// Conn returns what the table's statements run on.
func (t Table) Conn() *Conn { return t.c }

func (t Table) access() access {
	t.s.prepare()
	return access{c: t.c, s: t.s, st: t.s.in(t.c.dialect)}
}

// Get reads the row with an id into row.
func (t Table) Get(ctx context.Context, id, row any) error { return t.access().get(ctx, id, row) }

// GetLocked is Get, and keeps others from changing the row until the transaction ends.
func (t Table) GetLocked(ctx context.Context, id, row any) error {
	return t.access().getLocked(ctx, id, row)
}

// GetForUpdate is GetLocked for a caller who may have forgotten the transaction.
func (t Table) GetForUpdate(ctx context.Context, id, row any) error {
	if err := t.access().locks("GetForUpdate"); err != nil {
		return err
	}
	return t.GetLocked(ctx, id, row)
}

// ListForUpdate reads the rows of a query into rows, a *[]R, and keeps others from changing them
// until the transaction ends.
func (t Table) ListForUpdate(ctx context.Context, q AnyQuery, lock store.Lock, rows any) error {
	a := t.access()
	if err := a.locks("ListForUpdate"); err != nil {
		return err
	}
	return a.listLocked(ctx, q, lock, newRowList(t.s, reflect.ValueOf(rows).Elem(), pageRoom(q.limit)))
}

// GetUnique reads the row that has these values in the columns of Keys[key] into
// row.
func (t Table) GetUnique(ctx context.Context, key int, row any, vals ...any) error {
	return t.access().getUnique(ctx, key, vals, row)
}

// Create adds a row and fills row with it.
func (t Table) Create(ctx context.Context, n, row any) error { return t.access().create(ctx, n, row) }

// Update changes the row with an id as patch says, and reads it into row.
func (t Table) Update(ctx context.Context, id, patch, row any) error {
	return t.access().update(ctx, id, nil, patch, row)
}

// UpdateIf is Update of a row that meets a condition when it is written. One that does not is
// store.ErrStale, and row is then what it holds.
func (t Table) UpdateIf(ctx context.Context, id any, where AnyCond, patch, row any) error {
	met := where.Filter
	if met == nil {
		met = &filter.Node{Op: filter.All}
	}
	return t.access().update(ctx, id, met, patch, row)
}

// UpdateWhere changes the rows that where keeps, and returns their number.
func (t Table) UpdateWhere(ctx context.Context, where AnyCond, patch any) (int64, error) {
	return t.access().updateWhere(ctx, where.Filter, patch)
}

// UpdateSome changes up to limit of the rows that where keeps, those with the smallest ids,
// and returns their number. limit is at most EffectBatch.
func (t Table) UpdateSome(ctx context.Context, where AnyCond, patch any, limit int) (int64, error) {
	return t.access().updateSome(ctx, where.Filter, patch, limit)
}

// UpsertUnique adds a row, or, where one has the same values in the columns of
// Keys[key], sets the columns that n sets. It fills row with the result.
func (t Table) UpsertUnique(ctx context.Context, key int, n, row any) error {
	return t.access().upsertUnique(ctx, key, n, row)
}

// Delete deletes the row with an id.
func (t Table) Delete(ctx context.Context, id any) error { return t.access().delete(ctx, id) }

// CreateMany adds the rows of ns, a []N, and sets ids, a *[]ID, to their ids in
// order. Without any rows it leaves ids alone.
func (t Table) CreateMany(ctx context.Context, ns, ids any) error {
	given := reflect.ValueOf(ns)
	n := given.Len()
	if n == 0 {
		return nil
	}
	if n > store.MaxBulk {
		return invalidf("%s: %d rows at once; at most %d", t.s.Name, n, store.MaxBulk)
	}
	a := t.access()
	rows := reflect.MakeSlice(t.s.rows, n, n)
	places, err := a.createMany(ctx, n, func(i int) (n, row any) { return at(given, i), at(rows, i) })
	if err != nil {
		return err
	}
	list := reflect.ValueOf(ids).Elem()
	list.Set(reflect.MakeSlice(list.Type(), n, n))
	for i, place := range places {
		setID(list.Index(i), place)
	}
	return nil
}

// at returns the address of an element of a slice.
func at(slice reflect.Value, i int) any { return slice.Index(i).Addr().Interface() }

// List reads a page into rows, a *[]R, and returns where the next one starts.
func (t Table) List(ctx context.Context, q AnyQuery, rows any) (store.Cursor, error) {
	return t.access().list(ctx, q, newRowList(t.s, reflect.ValueOf(rows).Elem(), pageRoom(q.limit)))
}

// All calls yield with each row of the query, a *R, as long as it returns true.
// It reads them in pages, and holds no connection while yield runs. An error is
// passed to yield as the last.
func (t Table) All(ctx context.Context, q AnyQuery, yield func(row any, err error) bool) {
	if err := t.access().all(ctx, q, func(row any) bool { return yield(row, nil) }); err != nil {
		yield(nil, err)
	}
}

// First reads the first row of the query into row.
func (t Table) First(ctx context.Context, q AnyQuery, row any) error {
	return t.access().first(ctx, q, row)
}

// Count counts the rows that where keeps and stops at limit; 0 stops at
// DefaultCount.
func (t Table) Count(ctx context.Context, where AnyCond, limit int) (int, error) {
	return t.access().count(ctx, where.Filter, limit)
}

// Exists reports whether where keeps any row.
func (t Table) Exists(ctx context.Context, where AnyCond) (bool, error) {
	n, err := t.access().count(ctx, where.Filter, 1)
	return n > 0, err
}

// DeleteWhere deletes the rows that where keeps and returns their number.
func (t Table) DeleteWhere(ctx context.Context, where AnyCond) (int64, error) {
	return t.access().deleteWhere(ctx, where.Filter)
}

// rowList appends rows to a []R.
type rowList struct {
	list reflect.Value // addressable
	row  reflect.Value // the *R that each row is read into
}

// newRowList appends to list, an empty one, for which it makes room.
func newRowList(s *Spec, list reflect.Value, room int) *rowList {
	list.Grow(room)
	return &rowList{list, reflect.New(s.rows.Elem())}
}

// keep appends the row that was read, and returns the *R where it now is.
func (l *rowList) keep() any {
	n := l.list.Len()
	if n == l.list.Cap() {
		l.list.Grow(1)
	}
	l.list.SetLen(n + 1)
	l.list.Index(n).Set(l.row.Elem())
	return at(l.list, n)
}

// DeleteSome deletes up to limit of the rows that where keeps, those with the
// smallest ids, and returns their number. limit is at most EffectBatch. It leaves rows that
// another transaction has locked: those who clean up wait for nobody.
func (t Table) DeleteSome(ctx context.Context, where AnyCond, limit int) (int64, error) {
	return t.access().deleteSome(ctx, where.Filter, limit)
}

// Changed runs the effects of op on rows that SQL beside the store has written. It
// is called in the transaction of that write, and after it; Deleted is not for it.
// An effect with Rows is given the rows after the write, and none before it.
func (t Table) Changed(ctx context.Context, op Op, ids []any) error {
	return t.access().changed(ctx, op, ids)
}
