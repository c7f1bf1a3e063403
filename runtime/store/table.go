package store

import (
	"context"
	"iter"
)

// Table is the typed access to one datatype's rows: R is a row, ID its id, N a
// new row and P a patch. It is a small value; a transaction has its own. Its
// methods are the pointer's, of which there are half as many to compile for each
// datatype.
type Table[R, ID, N, P any] struct{ a access }

// Bind gives the access to a datatype's rows through c. It costs next to
// nothing: a transaction does it for every datatype.
func Bind[R, ID, N, P any](c *Conn, s *Spec[R, ID, N, P]) Table[R, ID, N, P] {
	h := s.untyped()
	return Table[R, ID, N, P]{access{c: c, s: h, st: h.in(c.dialect)}}
}

// Conn is what the table's statements run on.
func (t *Table[R, ID, N, P]) Conn() *Conn { return t.a.c }

// Get reads one row; ErrNotFound without it.
func (t *Table[R, ID, N, P]) Get(ctx context.Context, id ID) (*R, error) {
	r := new(R)
	if err := t.a.get(ctx, id, r); err != nil {
		return nil, err
	}
	return r, nil
}

// GetUnique reads the row that has these values in the columns of Keys[key];
// ErrNotFound without it.
func (t *Table[R, ID, N, P]) GetUnique(ctx context.Context, key int, vals ...any) (*R, error) {
	r := new(R)
	if err := t.a.getUnique(ctx, key, vals, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Create adds a row and gives it as it is then. It fails with a
// *ValidationError that names every broken rule, a *ConflictError, or
// ErrReference.
func (t *Table[R, ID, N, P]) Create(ctx context.Context, n N) (*R, error) {
	r := new(R)
	if err := t.a.create(ctx, &n, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Update sets the columns that the patch sets and gives the row as it is then.
// An empty patch only reads. ErrNotFound without the row; otherwise it fails as
// Create does.
func (t *Table[R, ID, N, P]) Update(ctx context.Context, id ID, p P) (*R, error) {
	r := new(R)
	if err := t.a.update(ctx, id, &p, r); err != nil {
		return nil, err
	}
	return r, nil
}

// UpsertUnique adds a row, or, where one has the same values in the columns of
// Keys[key], sets the columns that n gives; columns that n leaves out keep what
// they have, and the id stays. It gives the row as it is then. A row that
// collides on another unique key is a *ConflictError.
func (t *Table[R, ID, N, P]) UpsertUnique(ctx context.Context, key int, n N) (*R, error) {
	r := new(R)
	if err := t.a.upsertUnique(ctx, key, &n, r); err != nil {
		return nil, err
	}
	return r, nil
}

// Delete removes a row; ErrNotFound without it, ErrReference while another row
// points to it and is not to go with it.
func (t *Table[R, ID, N, P]) Delete(ctx context.Context, id ID) error { return t.a.delete(ctx, id) }

// CreateMany adds all the rows, or none, and gives their ids in order. Every
// row is checked before the first is written; the *ValidationError names the
// first row that breaks a rule.
func (t *Table[R, ID, N, P]) CreateMany(ctx context.Context, ns []N) ([]ID, error) {
	rows := make([]R, min(len(ns), MaxBulk))
	ids := make([]ID, len(rows))
	err := t.a.createMany(ctx, len(ns), func(i int) (n, row, id any) { return &ns[i], &rows[i], &ids[i] })
	if err != nil || len(ns) == 0 {
		return nil, err
	}
	return ids, nil
}

// List reads one page. A page after a cursor starts right behind the row that
// the cursor stands for, whatever was added or removed meanwhile.
func (t *Table[R, ID, N, P]) List(ctx context.Context, q Query[ID]) (Page[R], error) {
	var row R
	page := Page[R]{Items: make([]R, 0, pageRoom(q.Limit))}
	next, err := t.a.list(ctx, q.untyped(), sink{&row, func() any {
		page.Items = append(page.Items, row)
		return &page.Items[len(page.Items)-1]
	}})
	if err != nil {
		return Page[R]{}, err
	}
	page.Next = next
	return page, nil
}

// All gives every row of the query, read in pages: while the loop's body runs
// no connection is held, and rows that others add behind it are seen. After an
// error it ends.
func (t *Table[R, ID, N, P]) All(ctx context.Context, q Query[ID]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		var row R
		var rows []R
		err := t.a.all(ctx, q.untyped(), sink{&row, func() any {
			rows = append(rows, row)
			return &rows[len(rows)-1]
		}}, func() bool {
			page := rows
			rows = nil // what the loop's body was given is its own
			for i := range page {
				if !yield(&page[i], nil) {
					return false
				}
			}
			return true
		})
		if err != nil {
			yield(nil, err)
		}
	}
}

// First reads the first row of the query; ErrNotFound without one.
func (t *Table[R, ID, N, P]) First(ctx context.Context, q Query[ID]) (*R, error) {
	r := new(R)
	if err := t.a.first(ctx, q.untyped(), r); err != nil {
		return nil, err
	}
	return r, nil
}

// Count counts the rows that where keeps and stops at limit, which is then the
// answer; 0 stops at 10,000. A count costs as much as reading what it counts.
func (t *Table[R, ID, N, P]) Count(ctx context.Context, where Cond[ID], limit int) (int, error) {
	return t.a.count(ctx, where.n, limit)
}

// Exists tells whether where keeps any row.
func (t *Table[R, ID, N, P]) Exists(ctx context.Context, where Cond[ID]) (bool, error) {
	n, err := t.a.count(ctx, where.n, 1)
	return n > 0, err
}

// DeleteWhere removes the rows that where keeps and says how many. A zero Cond
// is refused: Everything says it on purpose.
func (t *Table[R, ID, N, P]) DeleteWhere(ctx context.Context, where Cond[ID]) (int64, error) {
	return t.a.deleteWhere(ctx, where.n)
}
