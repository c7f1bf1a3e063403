package mysql

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"math"

	"github.com/go-sql-driver/mysql"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// querier is what a pool, a transaction and one connection have in common.
type querier interface {
	ExecContext(ctx context.Context, text string, args ...any) (sql.Result, error)
	QueryContext(ctx context.Context, text string, args ...any) (*sql.Rows, error)
}

type session struct {
	q        querier
	readOnly bool // a transaction that refuses writes
}

// failure marks an error with the store's sentinels.
func (s session) failure(ctx context.Context, err error) error {
	if my, ok := errors.AsType[*mysql.MySQLError](err); ok && s.readOnly && my.Number == writeRefused {
		return core.ErrWriteRefused
	}
	return failure(ctx, err)
}

// Exec runs a statement that gives no rows.
func (s session) Exec(ctx context.Context, text string, args []any) (core.Result, error) {
	bound, err := arguments(args)
	if err != nil {
		return core.Result{}, err
	}
	res, err := s.q.ExecContext(ctx, text, bound...)
	if err != nil {
		return core.Result{}, s.failure(ctx, err)
	}
	var r core.Result
	if r.RowsAffected, err = res.RowsAffected(); err == nil {
		r.LastID, err = res.LastInsertId()
	}
	return r, err
}

// Query fills dest with each row and then calls each.
func (s session) Query(ctx context.Context, text string, args, dest []any, each func() error) error {
	return s.rows(ctx, text, args, dest, func() (bool, error) { return true, each() })
}

// QueryRow fills dest with the first row.
func (s session) QueryRow(ctx context.Context, text string, args, dest []any) error {
	found := false
	err := s.rows(ctx, text, args, dest, func() (bool, error) {
		found = true
		return false, nil
	})
	if err == nil && !found {
		return store.ErrNotFound
	}
	return err
}

// rows goes through a result until each says that it has enough.
func (s session) rows(ctx context.Context, text string, args, dest []any, each func() (more bool, err error)) error {
	bound, err := arguments(args)
	if err != nil {
		return err
	}
	rows, err := s.q.QueryContext(ctx, text, bound...)
	if err != nil {
		return s.failure(ctx, err)
	}
	return s.read(ctx, rows, dest, each)
}

func (s session) read(ctx context.Context, rows *sql.Rows, dest []any, each func() (bool, error)) error {
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return s.failure(ctx, err)
	}
	if len(columns) != len(dest) {
		return fmt.Errorf("mysql: the result has %d columns, not %d", len(columns), len(dest))
	}
	cells := make([]cell, len(dest))
	places := make([]any, len(dest))
	for i, d := range dest {
		cells[i] = cell{d}
		places[i] = &cells[i]
	}
	for rows.Next() {
		if err := rows.Scan(places...); err != nil {
			return fmt.Errorf("mysql: %w", err)
		}
		more, err := each()
		if err != nil {
			return err
		}
		if !more {
			break
		}
	}
	if err := rows.Err(); err != nil {
		return s.failure(ctx, err)
	}
	return rows.Close()
}

// cell lets database/sql hand a value over as it came.
type cell struct{ dest any }

// Scan implements sql.Scanner.
func (c *cell) Scan(src any) error {
	if n, ok := src.(uint64); ok && n <= math.MaxInt64 { // unsigned, of a statement that was not prepared
		src = int64(n)
	}
	switch d := c.dest.(type) {
	case *int64:
		if n, ok := src.(int64); ok {
			*d = n
			return nil
		}
	case *string:
		if b, ok := src.([]byte); ok {
			*d = string(b)
			return nil
		}
	}
	return core.Assign(c.dest, src)
}
