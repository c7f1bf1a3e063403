package migrate

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// listedIDs is how many of the rows that do not fit an error names.
const listedIDs = 10

var errEnough = errors.New("enough rows")

// refuse runs all queries for rows that do not fit a step, so that one error lists every reason.
func (r *run) refuse(ctx context.Context, s core.Session, step *script.Step) error {
	var first *RowsError
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
		found := &RowsError{Because: q.Because, Rows: n, IDs: ids, Line: step.Line}
		if first == nil {
			first = found
		} else {
			first.More = append(first.More, found)
		}
	}
	if first == nil {
		return nil
	}
	return first
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
	slices.SortFunc(ids, func(a, b string) int { return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b)) })
	return ids, err
}

// RowsError reports rows that do not fit what a step makes of their table. The step has changed
// nothing. It is store.ErrInvalid.
type RowsError struct {
	Because string // what is wrong with them, and what to do
	Rows    int64
	IDs     []string     // of the first 10 of them
	Line    int          // of the step in its file
	More    []*RowsError // rows that do not fit for other reasons
}

// Error names the first rows for each reason.
func (e *RowsError) Error() string {
	var b strings.Builder
	b.WriteString(e.reason())
	for _, other := range e.More {
		b.WriteString("; " + other.reason())
	}
	return b.String() + "; the step has changed nothing"
}

func (e *RowsError) reason() string {
	which := strings.Join(e.IDs, ", ")
	if more := e.Rows - int64(len(e.IDs)); more > 0 {
		which += fmt.Sprintf(" and %d more", more)
	}
	rows := "rows do"
	if e.Rows == 1 {
		rows = "row does"
	}
	return fmt.Sprintf("%d %s not fit, with the id %s: %s", e.Rows, rows, which, e.Because)
}

// Is makes errors.Is(err, store.ErrInvalid) hold.
func (e *RowsError) Is(target error) bool { return target == store.ErrInvalid }
