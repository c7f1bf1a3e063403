package store

import (
	"context"
	"iter"
	"slices"
	"strconv"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Bounds of a list.
const (
	DefaultLimit = 50
	MaxLimit     = 1000
	DefaultCount = 10_000 // Count stops here unless told otherwise
	allPage      = 200    // rows that All reads at a time
)

// Query says which rows of R, in which order, how many and from where on.
type Query[R any] struct {
	Where Cond[R]    // zero: every row
	Sort  []Order[R] // then by id; empty: by id
	Limit int        // List: 0 is 50, at most 1000. All: 0 is no limit
	After Cursor     // Page.Next of a list with the same Sort; "" is the start
}

// Page is one page of a list.
type Page[R any] struct {
	Items []R
	Next  Cursor // for the following page; "" at the end
}

// plan is a query in the form that statements are written from.
type plan struct {
	where *node
	sort  []sortKey // complete: the last is unique
	limit int
	after Cursor
}

type sortKey struct {
	col  int
	desc bool
}

func (t Table[R, ID, N, P]) plan(q Query[R]) (plan, error) {
	p := plan{where: q.Where.n, limit: q.Limit, after: q.After}
	if len(q.Sort) > maxSort {
		return p, invalidf("%s: a sort has at most %d columns", t.s.Name, maxSort)
	}
	for _, o := range q.Sort {
		if slices.ContainsFunc(p.sort, func(k sortKey) bool { return k.col == o.col }) {
			continue // the first one has decided
		}
		if t.s.Columns[o.col].Rules.Secret {
			return p, invalidf("%s: %s is secret, and a sort would show it", t.s.Name, t.s.Columns[o.col].Name)
		}
		p.sort = append(p.sort, sortKey(o))
		if o.col == 0 {
			return p, nil
		}
	}
	p.sort = append(p.sort, sortKey{col: 0})
	return p, nil
}

func (t Table[R, ID, N, P]) builder() *builder {
	return &builder{d: t.st.dialect, cols: t.s.Columns, quoted: t.st.quoted, sql: make([]byte, 0, 256)}
}

// List reads one page. A page after a cursor starts right behind the row that
// the cursor stands for, whatever was added or removed meanwhile.
func (t Table[R, ID, N, P]) List(ctx context.Context, q Query[R]) (Page[R], error) {
	if q.Limit < 0 || q.Limit > MaxLimit {
		return Page[R]{}, invalidf("%s: a page has 1 to %d rows, not %d", t.s.Name, MaxLimit, q.Limit)
	}
	if q.Limit == 0 {
		q.Limit = DefaultLimit
	}
	p, err := t.plan(q)
	if err != nil {
		return Page[R]{}, err
	}
	return t.page(ctx, p, true)
}

// page reads the rows of a plan; with next, also where to go on.
func (t Table[R, ID, N, P]) page(ctx context.Context, p plan, next bool) (page Page[R], err error) {
	rows := p.limit
	if next {
		rows++ // one more tells whether there is a following page
	}
	b := t.builder()
	if err := t.compile(b, p, rows); err != nil {
		return page, err
	}
	sc := t.s.take()
	defer t.s.give(sc)
	var row R
	sc.dest = t.s.Fields(&row, sc.dest[:0])
	more := false
	page.Items = make([]R, 0, min(p.limit, 128))
	err = t.c.Query(ctx, string(b.sql), b.args, sc.dest, func() error {
		if len(page.Items) == p.limit {
			more = true
			return nil
		}
		page.Items = append(page.Items, row)
		return nil
	})
	if err != nil {
		return Page[R]{}, t.fail(err)
	}
	if more {
		sc.dest = t.s.Fields(&page.Items[len(page.Items)-1], sc.dest[:0])
		page.Next, err = encodeCursor(t.s.Name, t.s.Columns, p.sort, sc.dest)
	}
	return page, err
}

func (t Table[R, ID, N, P]) compile(b *builder, p plan, rows int) error {
	b.write(t.st.selectAll)
	if err := b.whereAfter(t.s.Name, p); err != nil {
		return err
	}
	b.orderBy(p.sort)
	b.write("\nLIMIT ")
	b.bind(int64(rows))
	return b.err
}

// orderBy writes the sort. PostgreSQL alone takes NULLs for the greatest.
func (b *builder) orderBy(sort []sortKey) {
	for i, k := range sort {
		if i == 0 {
			b.write("\nORDER BY ")
		} else {
			b.write(", ")
		}
		b.write(b.quoted[k.col])
		if k.desc {
			b.write(" DESC")
		}
		if b.d == sqltext.Postgres && b.cols[k.col].Null {
			if k.desc {
				b.write(" NULLS LAST")
			} else {
				b.write(" NULLS FIRST")
			}
		}
	}
}

// All gives every row of the query, read in pages: while the loop's body runs
// no connection is held, and rows that others add behind it are seen. After an
// error it ends.
func (t Table[R, ID, N, P]) All(ctx context.Context, q Query[R]) iter.Seq2[*R, error] {
	return func(yield func(*R, error) bool) {
		left := q.Limit
		p, err := t.plan(q)
		if err != nil {
			yield(nil, err)
			return
		}
		for {
			p.limit = allPage
			if q.Limit > 0 {
				p.limit = min(allPage, left)
			}
			page, err := t.page(ctx, p, q.Limit <= 0 || left > allPage)
			if err != nil {
				yield(nil, err)
				return
			}
			for i := range page.Items {
				if !yield(&page.Items[i], nil) {
					return
				}
			}
			left -= len(page.Items)
			if page.Next == "" {
				return
			}
			p.after = page.Next
		}
	}
}

// First reads the first row of the query; ErrNotFound without one.
func (t Table[R, ID, N, P]) First(ctx context.Context, q Query[R]) (*R, error) {
	p, err := t.plan(q)
	if err != nil {
		return nil, err
	}
	b := t.builder()
	if err := t.compile(b, p, 1); err != nil {
		return nil, err
	}
	sc := t.s.take()
	defer t.s.give(sc)
	sc.args = append(sc.args, b.args...)
	return t.one(ctx, string(b.sql), sc)
}

// Count counts the rows that where keeps and stops at limit, which is then the
// answer; 0 stops at 10,000. A count costs as much as reading what it counts.
func (t Table[R, ID, N, P]) Count(ctx context.Context, where Cond[R], limit int) (int, error) {
	if limit <= 0 {
		limit = DefaultCount
	}
	b := t.builder()
	b.write("SELECT count(*) FROM (SELECT 1 AS one FROM ", t.st.table)
	b.where(where.n, nil)
	b.write("\nLIMIT ", strconv.Itoa(limit), ") AS counted")
	if b.err != nil {
		return 0, b.err
	}
	var n int64
	if err := t.c.QueryRow(ctx, string(b.sql), b.args, []any{&n}); err != nil {
		return 0, t.fail(err)
	}
	return int(n), nil
}

// Exists tells whether where keeps any row.
func (t Table[R, ID, N, P]) Exists(ctx context.Context, where Cond[R]) (bool, error) {
	n, err := t.Count(ctx, where, 1)
	return n > 0, err
}

// DeleteWhere removes the rows that where keeps and says how many. A zero Cond
// is refused: Everything says it on purpose.
func (t Table[R, ID, N, P]) DeleteWhere(ctx context.Context, where Cond[R]) (int64, error) {
	if where.n == nil {
		return 0, invalidf("%s: DeleteWhere without a condition; Everything removes every row", t.s.Name)
	}
	b := t.builder()
	b.write("DELETE FROM ", t.st.table)
	b.where(where.n, nil)
	if b.err != nil {
		return 0, b.err
	}
	res, err := t.c.Exec(ctx, string(b.sql), b.args)
	if err != nil {
		return 0, t.fail(err)
	}
	return res.RowsAffected, nil
}
