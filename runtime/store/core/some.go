package core

import "context"

// ChangeSome runs a statement that changes a bounded number of rows and returns
// them, as "DELETE ... RETURNING" does; fields returns the places of its columns in
// a row. On MySQL, which cannot return what it changes, change finds and locks the
// rows and returns their ids before these columns, and apply changes them: it takes
// the List of their ids as the argument with the index ids. A row that was found
// twice is returned once. c is a transaction, in which the rows are locked.
func ChangeSome[R any](ctx context.Context, c *Conn, change, apply *Statement, args []any, ids int, fields func(*R) []any) ([]R, error) {
	if !apply.Has(c) {
		return Many(ctx, c, change, args, fields)
	}
	type found struct {
		id  AnyID
		row R
	}
	all, err := Many(ctx, c, change, args, func(f *found) []any { return append([]any{&f.id}, fields(&f.row)...) })
	if err != nil || len(all) == 0 {
		return nil, err
	}
	rows := make([]R, 0, len(all))
	list := make([]any, 0, len(all))
	seen := make(map[any]bool, len(all))
	for _, f := range all {
		if !seen[f.id.V] {
			seen[f.id.V] = true
			rows, list = append(rows, f.row), append(list, f.id.V)
		}
	}
	args = append([]any(nil), args...)
	args[ids] = IDList(list)
	if _, err := Exec(ctx, c, apply, args); err != nil {
		return nil, err
	}
	return rows, nil
}
