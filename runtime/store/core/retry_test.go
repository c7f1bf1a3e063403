package core

import (
	"context"
	"errors"
	"log/slog"
	"testing"
	"testing/synctest"

	"github.com/hegner123/modulagen/runtime/store"
)

// busy is a session that always fails for a reason that passes, after rows where a
// statement has some.
type busy struct {
	Session
	calls int
	rows  int
}

var errBusy = Coded(store.ErrBusy, errors.New("a deadlock"))

func (b *busy) Exec(context.Context, string, []any) (Result, error) {
	b.calls++
	return Result{}, errBusy
}

func (b *busy) Query(_ context.Context, _ string, _, _ []any, each func() error) error {
	b.calls++
	for range b.rows {
		if err := each(); err != nil {
			return err
		}
	}
	return errBusy
}

// TestStatementsAreRepeated says which statements are, after a failure that passes.
func TestStatementsAreRepeated(t *testing.T) {
	const attempts = 5
	for name, c := range map[string]struct {
		rows int // -1: no query
		tx   bool
		want int
	}{
		"a statement":                {-1, false, attempts},
		"one of a transaction":       {-1, true, 1},
		"a query":                    {0, false, attempts},
		"one whose rows were passed": {2, false, 1},
		"a query of a transaction":   {0, true, 1},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				s := &busy{rows: c.rows}
				conn := &Conn{session: s, db: &DB{shared: &shared{opts: store.Options{Attempts: attempts, Logger: slog.New(slog.DiscardHandler)}}}}
				if c.tx {
					conn.tx = &txState{}
				}
				passed := 0
				var err error
				if c.rows < 0 {
					_, err = conn.Exec(t.Context(), "", nil)
				} else {
					err = conn.Query(t.Context(), "", nil, nil, func() error { passed++; return nil })
				}
				if !errors.Is(err, store.ErrBusy) || s.calls != c.want || passed != max(0, c.rows) {
					t.Errorf("sent %d times, not %d; %d rows passed on; %v", s.calls, c.want, passed, err)
				}
				if _, err := conn.Exec(t.Context(), "", nil); c.tx && (err == nil || s.calls != 1) {
					t.Errorf("the transaction went on: sent %d times, %v", s.calls, err)
				}
			})
		})
	}
}
