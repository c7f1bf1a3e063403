package migrate

import (
	"context"
	"errors"
	"hash/maphash"
	"os"

	"modernc.org/sqlite"

	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

const (
	pageSize   = 4096
	indexShare = 12
)

// watchSQLite runs a step's statements. A statement after which less than half of the table's
// pages are where and what they were has written it again. There is one writer at a time: one that
// reads or writes as many pages as an index has holds others up. An index over numbers has a tenth
// of the table's.
func watchSQLite(ctx context.Context, t *trial, step script.Step) error {
	if t.pages == nil { // a cache so small that pages that are read again count again
		for _, text := range []string{"PRAGMA journal_mode = DELETE", "PRAGMA cache_size = 8"} {
			if _, err := t.conn.ExecContext(ctx, text); err != nil {
				return err
			}
		}
		if err := t.readPages(ctx); err != nil {
			return err
		}
	}
	for _, st := range step.Statements {
		if _, err := t.traffic(); err != nil {
			return err
		}
		if _, err := t.conn.ExecContext(ctx, st.SQL); err != nil {
			return err
		}
		moved, err := t.traffic()
		if err != nil {
			return err
		}
		var e effects
		if moved >= len(t.pages)/indexShare {
			e[holds] = 1
		}
		before := t.pages
		if err := t.readPages(ctx); err != nil {
			return err
		}
		if isUpdate(st.SQL) {
			e[updates] = 1
		} else if same := t.pages.in(before); same < len(before)/2 {
			e[rewrites] = 1
		}
		t.did(st.SQL, "", e)
	}
	return nil
}

// pages are those of a table, by number, each with a hash of what it holds.
type pages map[int64]uint64

// in counts the pages that others have too, where and what they are.
func (p pages) in(others pages) (n int) {
	for number, sum := range p {
		if old, ok := others[number]; ok && old == sum {
			n++
		}
	}
	return n
}

var seed = maphash.MakeSeed()

// readPages reads the pages of article. While there is no such table, in the midst of a plan that
// makes it anew, those that were read before stay.
func (t *trial) readPages(ctx context.Context) (err error) {
	rows, err := t.conn.QueryContext(ctx, "SELECT pageno FROM dbstat WHERE name = 'article'")
	if err != nil {
		return err
	}
	var numbers []int64
	for rows.Next() {
		var n int64
		if err := rows.Scan(&n); err != nil {
			return errors.Join(err, rows.Close())
		}
		numbers = append(numbers, n)
	}
	if err := errors.Join(rows.Err(), rows.Close()); err != nil || len(numbers) == 0 {
		return err
	}
	text, err := os.ReadFile(t.path)
	if err != nil {
		return err
	}
	t.pages = pages{}
	for _, n := range numbers {
		t.pages[n] = maphash.Bytes(seed, text[(n-1)*pageSize:n*pageSize])
	}
	return nil
}

// traffic is how many pages were read into the cache, or written from it, since the last call.
func (t *trial) traffic() (n int, err error) {
	err = t.conn.Raw(func(c any) error {
		for _, op := range []sqlite.DBStatusOp{sqlite.DBStatusCacheMiss, sqlite.DBStatusCacheWrite} {
			current, _, err := c.(sqlite.DBStatus).Status(op, true)
			if err != nil {
				return err
			}
			n += current
		}
		return nil
	})
	return n, err
}
