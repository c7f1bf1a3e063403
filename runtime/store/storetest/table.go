package storetest

import (
	"context"
	"iter"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Table has the methods that the generator prints for each datatype, here once
// for all datatypes of the suite. ID is int64 or string below.
type Table[R, ID, N, P any] struct{ core core.Table }

func bind[R, ID, N, P any](c *core.Conn, s *core.Spec) Table[R, ID, N, P] {
	return Table[R, ID, N, P]{core.Bind(c, s)}
}

// row returns what a method that fills a row returns.
func row[R any](r *R, err error) (*R, error) {
	if err != nil {
		return nil, err
	}
	return r, nil
}

// Get returns the row with an id.
func (t *Table[R, ID, N, P]) Get(ctx context.Context, id ID) (*R, error) {
	r := new(R)
	return row(r, t.core.Get(ctx, id, r))
}

// GetUnique returns the row with a key.
func (t *Table[R, ID, N, P]) GetUnique(ctx context.Context, key int, vals ...any) (*R, error) {
	r := new(R)
	return row(r, t.core.GetUnique(ctx, key, r, vals...))
}

// Create adds a row.
func (t *Table[R, ID, N, P]) Create(ctx context.Context, n N) (*R, error) {
	r := new(R)
	return row(r, t.core.Create(ctx, &n, r))
}

// Update changes a row.
func (t *Table[R, ID, N, P]) Update(ctx context.Context, id ID, p P) (*R, error) {
	r := new(R)
	return row(r, t.core.Update(ctx, id, &p, r))
}

// UpdateIf changes a row that a filter keeps.
func (t *Table[R, ID, N, P]) UpdateIf(ctx context.Context, id ID, where store.Cond[ID], p P) (*R, error) {
	r := new(R)
	return row(r, t.core.UpdateIf(ctx, id, core.AnyCond{Filter: where.Filter}, &p, r))
}

// GetForUpdate returns a row, and locks it.
func (t *Table[R, ID, N, P]) GetForUpdate(ctx context.Context, id ID) (*R, error) {
	r := new(R)
	return row(r, t.core.GetForUpdate(ctx, id, r))
}

// ListForUpdate returns the rows of a page, and locks them.
func (t *Table[R, ID, N, P]) ListForUpdate(ctx context.Context, q store.Query[ID], lock store.Lock) ([]R, error) {
	var rows []R
	err := t.core.ListForUpdate(ctx, core.QueryOf(q), lock, &rows)
	return rows, err
}

// UpdateWhere changes the rows that a filter keeps.
func (t *Table[R, ID, N, P]) UpdateWhere(ctx context.Context, where store.Cond[ID], p P) (int64, error) {
	return t.core.UpdateWhere(ctx, core.AnyCond{Filter: where.Filter}, &p)
}

// UpdateSome changes some rows that a filter keeps.
func (t *Table[R, ID, N, P]) UpdateSome(ctx context.Context, where store.Cond[ID], p P, limit int) (int64, error) {
	return t.core.UpdateSome(ctx, core.AnyCond{Filter: where.Filter}, &p, limit)
}

// UpsertUnique adds a row or changes the one with a key.
func (t *Table[R, ID, N, P]) UpsertUnique(ctx context.Context, key int, n N) (*R, error) {
	r := new(R)
	return row(r, t.core.UpsertUnique(ctx, key, &n, r))
}

// Delete deletes a row.
func (t *Table[R, ID, N, P]) Delete(ctx context.Context, id ID) error { return t.core.Delete(ctx, id) }

// CreateMany adds rows.
func (t *Table[R, ID, N, P]) CreateMany(ctx context.Context, ns []N) (ids []ID, err error) {
	err = t.core.CreateMany(ctx, ns, &ids)
	return ids, err
}

// List returns a page.
func (t *Table[R, ID, N, P]) List(ctx context.Context, q store.Query[ID]) (page store.Page[R], err error) {
	if page.Next, err = t.core.List(ctx, core.QueryOf(q), &page.Items); err != nil {
		return store.Page[R]{}, err
	}
	return page, nil
}

// All returns every row of a query.
func (t *Table[R, ID, N, P]) All(ctx context.Context, q store.Query[ID]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		t.core.All(ctx, core.QueryOf(q), func(row any, err error) bool {
			r, _ := row.(*R)
			return yield(r, err)
		})
	}
}

// First returns the first row of a query.
func (t *Table[R, ID, N, P]) First(ctx context.Context, q store.Query[ID]) (*R, error) {
	r := new(R)
	return row(r, t.core.First(ctx, core.QueryOf(q), r))
}

// Count counts rows.
func (t *Table[R, ID, N, P]) Count(ctx context.Context, where store.Cond[ID], limit int) (int, error) {
	return t.core.Count(ctx, core.AnyCond{Filter: where.Filter}, limit)
}

// Exists reports whether there is a row.
func (t *Table[R, ID, N, P]) Exists(ctx context.Context, where store.Cond[ID]) (bool, error) {
	return t.core.Exists(ctx, core.AnyCond{Filter: where.Filter})
}

// DeleteWhere deletes rows.
func (t *Table[R, ID, N, P]) DeleteWhere(ctx context.Context, where store.Cond[ID]) (int64, error) {
	return t.core.DeleteWhere(ctx, core.AnyCond{Filter: where.Filter})
}

// DeleteSome deletes up to limit rows.
func (t *Table[R, ID, N, P]) DeleteSome(ctx context.Context, where store.Cond[ID], limit int) (int64, error) {
	return t.core.DeleteSome(ctx, core.AnyCond{Filter: where.Filter}, limit)
}
