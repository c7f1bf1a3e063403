package core

import (
	"context"
	"fmt"
	"reflect"
	"slices"
	"strconv"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// allPage is how many rows All reads at a time.
const allPage = 200

// plan is a query in the form that statements are written from.
type plan struct {
	where *filter.Node
	sort  []filter.Key // complete: the last is unique
	limit int
	after store.Cursor
	lock  string // ends the statement
}

// AnyQuery is a Query without its type, as a Table takes it.
type AnyQuery struct {
	where *filter.Node
	sort  []filter.Key
	limit int
	after store.Cursor
}

// QueryOf removes a query's type; generated code does.
func QueryOf[ID any](q store.Query[ID]) AnyQuery {
	out := AnyQuery{where: q.Where.Filter, limit: q.Limit, after: q.After}
	for _, o := range q.Sort {
		out.sort = append(out.sort, o.Key)
	}
	return out
}

func (a access) plan(q AnyQuery) (plan, error) {
	p := plan{where: q.where, limit: q.limit, after: q.after}
	if len(q.sort) > maxSort {
		return p, invalidf("%s: a sort has at most %d columns", a.s.Name, maxSort)
	}
	for _, o := range q.sort {
		if o.Col >= len(a.s.Columns) {
			return p, invalidf("%s: a sort names column %d of %d: it is another datatype's", a.s.Name, o.Col, len(a.s.Columns))
		}
		if slices.ContainsFunc(p.sort, func(k filter.Key) bool { return k.Col == o.Col }) {
			continue // the first one has decided
		}
		if a.s.Columns[o.Col].Rules.Secret {
			return p, invalidf("%s: %s is secret, and a sort would show it", a.s.Name, a.s.Columns[o.Col].Name)
		}
		p.sort = append(p.sort, o)
		if o.Col == 0 {
			return p, nil
		}
	}
	p.sort = append(p.sort, filter.Key{Col: 0})
	return p, nil
}

func (a access) builder() *builder {
	return &builder{d: a.st.dialect, name: a.s.Name, table: a.st.table, cols: a.s.Columns, quoted: a.st.quoted, sql: make([]byte, 0, 256)}
}

func (a access) list(ctx context.Context, q AnyQuery, into *rowList) (store.Cursor, error) {
	p, err := a.pagePlan(q)
	if err != nil {
		return "", err
	}
	return a.page(ctx, p, true, into)
}

func (a access) pagePlan(q AnyQuery) (plan, error) {
	if q.limit < 0 || q.limit > store.MaxLimit {
		return plan{}, invalidQuery(a.s.Name, "limit", "limit", fmt.Sprintf("must be 1 to %d, or 0 for %d, not %d", store.MaxLimit, store.DefaultLimit, q.limit))
	}
	if q.limit == 0 {
		q.limit = store.DefaultLimit
	}
	return a.plan(q)
}

// listLocked reads a page's rows, and locks them. It reads none behind them, which it would lock too.
func (a access) listLocked(ctx context.Context, q AnyQuery, lock store.Lock, into *rowList) error {
	p, err := a.pagePlan(q)
	if err != nil {
		return err
	}
	p.lock = forUpdate(a.st.dialect)
	if lock == store.SkipLocked {
		p.lock = skipLocked(a.st.dialect)
	}
	_, err = a.page(ctx, p, false, into)
	return err
}

// locks refuses what would lock rows outside a transaction, where a lock ends with its statement.
func (a access) locks(method string) error {
	if a.c.InTransaction() {
		if a.c.tx.readOnly {
			return a.fail(ErrWriteRefused)
		}
		return nil
	}
	return invalidf("%s: %s locks rows until a transaction ends, and db is none: call it on tx, within db.Tx", a.s.Name, method)
}

// pageRoom is how many rows to make room for at once.
func pageRoom(limit int) int {
	if limit <= 0 {
		limit = store.DefaultLimit
	}
	return min(limit, 128)
}

// page reads the rows of a plan; with next, also where to go on.
func (a access) page(ctx context.Context, p plan, next bool, into *rowList) (cursor store.Cursor, err error) {
	rows := p.limit
	if next {
		rows++ // one more tells whether there is a following page
	}
	b := a.builder()
	if err := a.compile(b, p, rows); err != nil {
		return "", err
	}
	sc := a.s.take()
	defer a.s.give(sc)
	sc.dest = a.s.Fields(into.row.Interface(), sc.dest[:0])
	kept, more := 0, false
	var last any
	err = a.c.Query(ctx, string(b.sql), b.args, sc.dest, func() error {
		if kept == p.limit {
			more = true
			return nil
		}
		last = into.keep()
		kept++
		return nil
	})
	if err != nil {
		return "", a.fail(err)
	}
	if more {
		sc.dest = a.s.Fields(last, sc.dest[:0])
		cursor, err = encodeCursor(a.s.Name, a.s.Columns, p.sort, sc.dest)
	}
	return cursor, err
}

func (a access) compile(b *builder, p plan, rows int) error {
	b.write(a.st.selectAll)
	if err := b.whereAfter(a.s.Name, p); err != nil {
		return err
	}
	b.orderBy(p.sort)
	b.write("\nLIMIT ")
	b.bind(int64(rows))
	b.write(p.lock)
	return b.err
}

// orderBy writes the sort. PostgreSQL alone takes NULLs for the greatest.
func (b *builder) orderBy(sort []filter.Key) {
	for i, k := range sort {
		if i == 0 {
			b.write("\nORDER BY ")
		} else {
			b.write(", ")
		}
		b.write(b.quoted[k.Col])
		if k.Desc {
			b.write(" DESC")
		}
		if b.d == sqltext.Postgres && b.cols[k.Col].Null {
			if k.Desc {
				b.write(" NULLS LAST")
			} else {
				b.write(" NULLS FIRST")
			}
		}
	}
}

// all reads the rows of a query in pages, and calls each with every row as long
// as it returns true. What each gets is its own: a page is never read into again.
func (a access) all(ctx context.Context, q AnyQuery, each func(row any) bool) error {
	left := q.limit
	p, err := a.plan(q)
	if err != nil {
		return err
	}
	rows := newRowList(a.s, reflect.New(a.s.rows).Elem(), 0)
	for {
		p.limit = allPage
		if q.limit > 0 {
			p.limit = min(allPage, left)
		}
		left -= p.limit
		rows.list.SetZero() // the page before is the caller's
		p.after, err = a.page(ctx, p, q.limit <= 0 || left > 0, rows)
		if err != nil {
			return err
		}
		for i := range rows.list.Len() {
			if !each(at(rows.list, i)) {
				return nil
			}
		}
		if p.after == "" {
			return nil
		}
	}
}

func (a access) first(ctx context.Context, q AnyQuery, row any) error {
	p, err := a.plan(q)
	if err != nil {
		return err
	}
	b := a.builder()
	if err := a.compile(b, p, 1); err != nil {
		return err
	}
	return a.oneOf(ctx, b, row)
}

// oneOf runs a statement that returns one row, as it was built.
func (a access) oneOf(ctx context.Context, b *builder, row any) error {
	if b.err != nil {
		return b.err
	}
	sc := a.s.take()
	defer a.s.give(sc)
	sc.args = append(sc.args, b.args...)
	return a.one(ctx, string(b.sql), row, sc)
}

func (a access) count(ctx context.Context, where *filter.Node, limit int) (int, error) {
	if limit <= 0 {
		limit = store.DefaultCount
	}
	b := a.builder()
	b.write("SELECT count(*) FROM (SELECT 1 AS one FROM ", a.st.table)
	b.where(where, nil)
	b.write("\nLIMIT ", strconv.Itoa(limit), ") AS counted")
	if b.err != nil {
		return 0, b.err
	}
	var n int64
	if err := a.c.QueryRow(ctx, string(b.sql), b.args, []any{&n}); err != nil {
		return 0, a.fail(err)
	}
	return int(n), nil
}

func (a access) deleteWhere(ctx context.Context, where *filter.Node) (int64, error) {
	if keepsAll(where) {
		return 0, invalidf("%s: DeleteWhere with a condition that every row meets; to delete every row, say store.Everything with the type of the ids", a.s.Name)
	}
	if a.s.followed(Deleted) {
		return a.deleteWhereWithEffects(ctx, where)
	}
	return a.deleteRows(ctx, where)
}

func (a access) deleteRows(ctx context.Context, where *filter.Node) (int64, error) {
	b := a.builder()
	b.write("DELETE FROM ", a.st.table)
	b.where(where, nil)
	if b.err != nil {
		return 0, b.err
	}
	res, err := a.c.Exec(ctx, string(b.sql), b.args)
	if err != nil {
		return 0, a.fail(a.pointed(ctx, err, nil))
	}
	return res.RowsAffected, nil
}
