package core

import (
	"context"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Repeater is a Session that has a faster way to run one statement many times,
// all or nothing: outside a transaction it makes one. args gives the arguments
// of the i-th time; its slice is used at once. touched is filled.
type Repeater interface {
	ExecEach(ctx context.Context, sql string, args func(i int) []any, touched []int64) error
}

// ExecEach runs a statement n times, with the arguments that args gives for each
// i from 0, and says how many rows each time touched. All of it takes effect or
// nothing does, in the transaction that c is, or in one of its own. PostgreSQL is
// sent all in one go; there and elsewhere the statement is prepared once.
//
// args is called n times before anything is sent, in order; a slice that it
// gives may be used again by it, what pointers in it point to may not. An
// argument that no column could hold is an error that is ErrInvalid, and nothing
// was sent then. Another error does not say at which i it came about.
func ExecEach(ctx context.Context, c *Conn, s *Statement, n int, args func(i int) []any) (touched []int64, err error) {
	text, all, err := s.each(c, n, args)
	if err != nil || n <= 0 {
		return nil, err
	}
	touched = make([]int64, n)
	row := func(i int) []any { return all[i*len(all)/n : (i+1)*len(all)/n] }
	if err := c.execEach(ctx, text, row, touched); err != nil {
		return nil, c.db.explain(err, "")
	}
	return touched, nil
}

// InsertEach is ExecEach of a statement that inserts one row and ends with its values, which are
// texts, numbers and times. MySQL, which answers each statement before it is sent the next one, is
// sent several rows in one.
func InsertEach(ctx context.Context, c *Conn, s *Statement, n int, args func(i int) []any) error {
	insert, values, one := strings.Cut(s.Text[c.dialect], "\nVALUES ")
	if c.dialect != sqltext.MySQL || n < 2 || !one {
		_, err := ExecEach(ctx, c, s, n, args)
		return err
	}
	_, all, err := s.each(c, n, args)
	if err != nil {
		return err
	}
	width := len(all) / n
	return c.InTx(ctx, func(c *Conn) error {
		for at := 0; at < n; {
			rows := all[at*width:]
			k := c.chunk(n-at, width, func(i int) []any { return rows[i*width : (i+1)*width] })
			text := insert + "\nVALUES " + strings.Repeat(values+", ", k-1) + values
			if _, err := c.Exec(ctx, text, rows[:k*width]); err != nil {
				return c.db.explain(err, "")
			}
			at += k
		}
		return nil
	})
}

// each returns the text, and the arguments of all times one after the other.
func (s *Statement) each(c *Conn, n int, args func(i int) []any) (text string, all []any, err error) {
	width := 0
	for i := range n {
		var row []any
		if text, row, err = s.in(c, args(i)); err != nil {
			return "", nil, err
		}
		switch {
		case i == 0:
			width = len(row)
			all = make([]any, 0, n*width)
		case len(row) != width:
			return "", nil, invalidf("%d arguments in place of %d", len(row), width)
		}
		all = append(all, row...)
	}
	return text, all, nil
}

func (c *Conn) execEach(ctx context.Context, text string, args func(i int) []any, touched []int64) error {
	repeater, ok := c.session.(Repeater)
	if !ok {
		return c.InTx(ctx, func(c *Conn) error {
			for i := range touched {
				res, err := c.Exec(ctx, text, args(i))
				if err != nil {
					return err
				}
				touched[i] = res.RowsAffected
			}
			return nil
		})
	}
	ctx, cancel := c.within(ctx)
	defer cancel()
	var r retry
	for {
		if err := c.enter(ctx); err != nil {
			return err
		}
		err := repeater.ExecEach(ctx, text, args, touched)
		c.leave(err)
		if !c.again(ctx, &r, err) {
			return err
		}
	}
}
