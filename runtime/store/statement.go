package store

import "context"

// Statement is a query of the user's own, in each database's form.
type Statement struct {
	Text  [3]string // by sqltext.Dialect
	Order [3][]int  // for each placeholder the argument it takes; nil: in order
}

func (s *Statement) in(c *Conn, args []any) (string, []any) {
	order := s.Order[c.dialect]
	if order == nil {
		return s.Text[c.dialect], args
	}
	ordered := make([]any, len(order))
	for i, from := range order {
		ordered[i] = args[from]
	}
	return s.Text[c.dialect], ordered
}

// One runs a statement that gives one row; ErrNotFound without it. fields gives
// the places of the columns in a row.
func One[R any](ctx context.Context, c *Conn, s *Statement, args []any, fields func(*R) []any) (R, error) {
	var row R
	text, args := s.in(c, args)
	if err := c.QueryRow(ctx, text, args, fields(&row)); err != nil {
		var none R
		return none, c.db.explain(err, "")
	}
	return row, nil
}

// Many runs a statement and gives all its rows; the statement's own LIMIT
// bounds them.
func Many[R any](ctx context.Context, c *Conn, s *Statement, args []any, fields func(*R) []any) ([]R, error) {
	var row R
	rows := []R{}
	text, args := s.in(c, args)
	err := c.Query(ctx, text, args, fields(&row), func() error {
		rows = append(rows, row)
		return nil
	})
	if err != nil {
		return nil, c.db.explain(err, "")
	}
	return rows, nil
}

// Exec runs a statement without rows and says how many it touched.
func Exec(ctx context.Context, c *Conn, s *Statement, args []any) (int64, error) {
	text, args := s.in(c, args)
	res, err := c.Exec(ctx, text, args)
	return res.RowsAffected, c.db.explain(err, "")
}
