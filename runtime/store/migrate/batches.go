package migrate

import (
	"context"
	"fmt"
	"strconv"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// batchRows is how many rows a batch of an UPDATE covers: few enough that no one waits long for their locks.
const batchRows = 500

// batches runs a step's UPDATE over its table, some rows in a transaction, from the recorded id on.
func (r *run) batches(ctx context.Context, from int, at row) error {
	u := &r.units[from]
	r.start(ctx, u)
	if at.Cursor == "" {
		if err := r.refuse(ctx, r.m, u.step); err != nil {
			return r.failed(u, err)
		}
	}
	var total int64
	if err := r.m.QueryRow(ctx, "SELECT count(*) FROM "+r.d.Quote(u.step.Batches), nil, []any{&total}); err != nil {
		return r.failed(u, err)
	}
	p := newRate()
	p.done, p.total = at.RowsDone, total
	for ended := false; !ended; {
		err := r.patiently(ctx, u, "changing rows of "+u.step.Batches, func() (err error) {
			ended, err = r.updateBatch(ctx, u, from, p)
			return err
		})
		if err != nil {
			return r.failed(u, err)
		}
		p.log(ctx, r, u)
		if y, ok := r.b.(core.Yielder); ok { // SQLite has one writer at a time
			if err := y.Yield(ctx); err != nil {
				return r.failed(u, err)
			}
		}
	}
	r.stop(ctx, u)
	return nil
}

// updateBatch changes the next rows, and records where the batch after them begins.
func (r *run) updateBatch(ctx context.Context, u *unit, from int, p *rate) (ended bool, err error) {
	tx, err := r.m.Begin(ctx)
	if err != nil {
		return false, err
	}
	defer r.rollback(ctx, tx)
	at, err := r.still(ctx, tx, from)
	if err != nil {
		return false, err
	}
	last, n, err := r.batchEnd(ctx, tx, u.step.Batches, at.Cursor)
	if err != nil {
		return false, err
	}
	if n == 0 {
		if err := r.advance(ctx, tx, from+1); err != nil {
			return false, err
		}
		return true, tx.Commit(ctx)
	}
	update, condition, _ := script.CutWhere(u.st.SQL) // runnable has checked that there is one
	if err := r.exec(ctx, tx, update+" ("+condition+"\n) AND id <= "+literal(last)+after(at.Cursor, " AND")); err != nil {
		return false, err
	}
	p.done = at.RowsDone + n
	next := r.leased(set{[]string{"cursor", "rows_done", "rows_total"}, []any{last, p.done, p.total}})
	if err := next.update(ctx, tx, r.d, r.sc.Name); err != nil {
		return false, err
	}
	return false, tx.Commit(ctx)
}

// batchEnd returns the id with which a batch ends, and how many rows it has.
func (r *run) batchEnd(ctx context.Context, tx core.Session, table, cursor string) (last string, n int64, err error) {
	kind := [...]string{sqltext.SQLite: "TEXT", sqltext.Postgres: "text", sqltext.MySQL: "CHAR"}[r.d]
	var end store.Null[string]
	text := fmt.Sprintf("SELECT CAST(max(id) AS %s), count(*) FROM (SELECT id FROM %s%s ORDER BY id LIMIT %d) AS batch",
		kind, r.d.Quote(table), after(cursor, " WHERE"), batchRows)
	err = tx.QueryRow(ctx, text, nil, []any{&end, &n})
	return strings.TrimSpace(end.V), n, err
}

// after returns the condition of rows behind a cursor, led by a word; empty for an empty cursor.
func after(cursor, word string) string {
	if cursor == "" {
		return ""
	}
	return word + " id > " + literal(cursor)
}

// literal writes an id, which is a number or the text of a ULID, into SQL.
func literal(id string) string {
	if _, err := strconv.ParseInt(id, 10, 64); err == nil {
		return id
	}
	return "'" + strings.ReplaceAll(id, "'", "''") + "'"
}
