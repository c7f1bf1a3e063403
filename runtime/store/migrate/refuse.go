package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// listedIDs is how many of the rows that do not fit an error names.
const listedIDs = 10

var errEnough = errors.New("enough rows")

// refuse runs the queries for rows that do not fit a step.
func (r *run) refuse(ctx context.Context, s core.Session, step *script.Step) error {
	for _, q := range step.Refuse {
		var n int64
		if err := s.QueryRow(ctx, "SELECT count(*) FROM (\n"+q.Query+"\n) AS refused", nil, []any{&n}); err != nil {
			return fmt.Errorf("looking for rows that do not fit: %w", err)
		}
		if n == 0 {
			continue
		}
		ids, err := firstIDs(ctx, s, q.Query)
		if err != nil {
			return fmt.Errorf("looking for rows that do not fit: %w", err)
		}
		return &RowsError{Because: q.Because, Rows: n, IDs: ids, Line: step.Line}
	}
	return nil
}

func firstIDs(ctx context.Context, s core.Session, query string) (ids []string, err error) {
	var id any
	err = s.Query(ctx, query, nil, []any{&id}, func() error {
		if text, ok := id.([]byte); ok { // text, as a server sends it: a ULID
			id = string(text)
		}
		ids = append(ids, fmt.Sprint(id))
		if len(ids) == listedIDs {
			return errEnough
		}
		return nil
	})
	if errors.Is(err, errEnough) {
		err = nil
	}
	return ids, err
}

// RowsError reports rows that do not fit what a step makes of their table. The step has changed
// nothing.
type RowsError struct {
	Because string // what is wrong with them, and what to do
	Rows    int64
	IDs     []string // of the first of them
	Line    int      // of the step in its file
}

// Error names the first rows.
func (e *RowsError) Error() string {
	which := strings.Join(e.IDs, ", ")
	if more := e.Rows - int64(len(e.IDs)); more > 0 {
		which += fmt.Sprintf(" and %d more", more)
	}
	rows := "rows do"
	if e.Rows == 1 {
		rows = "row does"
	}
	return fmt.Sprintf("%d %s not fit, with the id %s: %s; the step has changed nothing", e.Rows, rows, which, e.Because)
}

// Is makes errors.Is(err, store.ErrInvalid) hold.
func (e *RowsError) Is(target error) bool { return target == store.ErrInvalid }
