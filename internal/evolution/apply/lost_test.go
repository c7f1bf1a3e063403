package apply_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// TestLostAnswers loses the answer to each statement of a migration once, and begins again after each. A
// statement that cannot be undone has taken effect then, and must not be taken for one that has not.
func TestLostAnswers(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		t.Run("many steps", func(t *testing.T) {
			dsn := fresh()
			fillPosts(t, dsn)
			upWithLosses(t, history(t, posting, article)[1], dsn, 20)
			checkArticles(t, dsn, 0)
		})
		t.Run("keep", func(t *testing.T) {
			dsn := fresh()
			p := history(t,
				definitions{"note": "fields:\n  - {name: title, type: text, max: 100}\n  - {name: n, type: number}\n"},
				definitions{"note": "fields:\n  - {name: headline, was: title, keep: true, type: text, max: 100}\n  - {name: n, type: number}\n"})
			if _, err := p[0].up(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			run(t, dsn, "INSERT INTO note (title, n) VALUES ('a', 1), (NULL, 2)")
			upWithLosses(t, p[1], dsn, 10)
			if got := rows(t, dsn, "SELECT headline FROM note ORDER BY n"); !slices.Equal(got, []string{"a", "NULL"}) {
				t.Errorf("the rows are %q", got)
			}
		})
	})
}

// upWithLosses migrates as often as an answer is lost, which must be some times.
func upWithLosses(t *testing.T, p program, dsn string, atLeast int) {
	t.Helper()
	const most = 500 // of statements, which a migration has not
	lost := map[string]bool{}
	for range most {
		err := with(t.Context(), dsn, func(db *core.DB) error {
			b, _ := core.Below(db)
			_, err := p.set.Up(t.Context(), &lossy{b, lost}, p.schema, migrate.Options{NoBackup: true})
			return err
		})
		if err == nil {
			if len(lost) < atLeast {
				t.Errorf("%d answers were lost, want %d at least", len(lost), atLeast)
			}
			return
		}
		if !errors.Is(err, errLost) {
			t.Fatalf("after %d lost answers: %v", len(lost), err)
		}
	}
	t.Fatalf("%d answers were lost, and the migration has not ended", len(lost))
}

var errLost = errors.New("the answer was lost")

// lossy is a backend that loses the answer to each statement of a migration once.
type lossy struct {
	core.Backend
	lost map[string]bool
}

func (b *lossy) Migration(ctx context.Context) (core.Migration, error) {
	c, err := b.Backend.(core.Migrator).Migration(ctx)
	return &lossyConn{c, b}, err
}

// answer loses an answer that came for the first time. Moments are another one each time.
func (b *lossy) answer(what string, args []any, err error) error {
	args = slices.DeleteFunc(slices.Clone(args), func(a any) bool { _, ok := a.(time.Time); return ok })
	if key := fmt.Sprint(what, args); err == nil && !b.lost[key] {
		b.lost[key] = true
		return errLost
	}
	return err
}

type lossyConn struct {
	core.Migration
	b *lossy
}

func (c *lossyConn) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	r, err := c.Migration.Exec(ctx, sql, args)
	return r, c.b.answer(sql, args, err)
}

func (c *lossyConn) Begin(ctx context.Context) (core.Transaction, error) {
	tx, err := c.Migration.Begin(ctx)
	return &lossyTx{Transaction: tx, b: c.b}, err
}

type lossyTx struct {
	core.Transaction
	b    *lossy
	last string
}

func (t *lossyTx) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	t.last = sql
	r, err := t.Transaction.Exec(ctx, sql, args)
	return r, t.b.answer(sql, args, err)
}

func (t *lossyTx) Commit(ctx context.Context) error {
	return t.b.answer("commit of "+t.last, nil, t.Transaction.Commit(ctx))
}
