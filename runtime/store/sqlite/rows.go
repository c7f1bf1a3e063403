package sqlite

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/hegner123/modulagen/runtime/store/core"
	sqlite3 "modernc.org/sqlite/lib"
)

// rows is a result that is kept until it may be given away: the rows of a write
// that shares a commit.
type rows struct {
	names []string
	cells []cell
	text  []byte // of all of them
}

// cell is a value of a kept row.
type cell struct {
	value
	from, to int // in rows.text
}

// gather runs a statement to its end and keeps its rows.
func (c *conn) gather(ctx context.Context, sql string, args, dest []any) (kept *rows, err error) {
	if ctx.Err() != nil {
		return nil, core.Ended(ctx)
	}
	s, err := c.prepare(ctx, sql)
	if err != nil {
		return nil, err
	}
	w := c.watch(ctx)
	defer w.end()
	defer func() {
		if rerr := c.reset(s); err == nil {
			err = rerr
		}
	}()
	kept = &rows{}
	row, err := c.run(ctx, s, args)
	if err != nil || !row {
		return kept, err
	}
	if err := s.fits(dest); err != nil {
		return nil, err
	}
	for i := range dest {
		kept.names = append(kept.names, c.columnName(s, i))
	}
	for err == nil {
		for i := range dest {
			kept.add(c.column(s.p, int32(i)))
		}
		err = c.next(ctx, s)
	}
	if !errors.Is(err, io.EOF) {
		return nil, err
	}
	return kept, nil
}

func (r *rows) add(v value) {
	k := cell{value: v, from: len(r.text)}
	if v.kind == sqlite3.SQLITE_TEXT || v.kind == sqlite3.SQLITE_BLOB {
		r.text = append(r.text, v.text...)
		k.text = ""
	}
	k.to = len(r.text)
	r.cells = append(r.cells, k)
}

// each fills dest with each row and then calls fn.
func (r *rows) each(dest []any, fn func() error) error {
	text := string(r.text)
	for at := 0; at < len(r.cells); at += len(dest) {
		for i, d := range dest {
			k := &r.cells[at+i]
			k.text = text[k.from:k.to]
			if err := k.scan(d); err != nil {
				return fmt.Errorf("sqlite: column %s: %w", r.names[i], err)
			}
		}
		if err := fn(); err != nil {
			return err
		}
	}
	return nil
}
