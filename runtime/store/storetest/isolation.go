package storetest

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// testSerializable has transactions that read a row and write what follows from it: none of
// the changes is lost, though nothing is locked by hand.
func testSerializable(t *testing.T, db *DB) {
	ctx := t.Context()
	const writers, each = 6, 5
	given := full("a")
	given.Views = store.Int(0)
	a := mustCreate(t, db, given)
	raise := func(c *core.Conn) error {
		in := In(c)
		row, err := in.Article.Get(ctx, a.ID)
		if err == nil {
			_, err = in.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Int(row.Views + 1)})
		}
		return err
	}
	var wg sync.WaitGroup
	for range writers {
		wg.Go(func() {
			for done := 0; done < each; {
				err := db.TxWith(ctx, store.TxOptions{Isolation: store.Serializable, Name: "raise"}, raise)
				switch {
				case err == nil:
					done++
				case !errors.Is(err, store.ErrBusy): // which is after all attempts
					t.Errorf("a serializable transaction: %v", err)
					return
				}
			}
		})
	}
	wg.Wait()
	row, err := db.Article.Get(ctx, a.ID)
	if err != nil || row.Views != writers*each {
		t.Errorf("%d changes are %d: %v", writers*each, row.Views, err)
	}
	if err := db.Article.Delete(ctx, a.ID); err != nil {
		t.Fatal(err)
	}
	testTransactionSees(t, db) // the level was that of these transactions alone
}

// testRepeatableRead reads twice while another transaction commits.
func testRepeatableRead(t *testing.T, db *DB) {
	ctx := t.Context()
	if strings.HasSuffix(db.Name(), ":memory:") {
		return // its one connection is this transaction
	}
	tries := 0
	err := db.TxWith(ctx, store.TxOptions{Isolation: store.RepeatableRead, ReadOnly: true}, func(c *core.Conn) error {
		tries++
		for i := range 2 {
			n, err := In(c).Article.Count(ctx, store.Cond[ArticleID]{}, 0)
			if err != nil || n != 0 {
				return fmt.Errorf("%d rows before and after a commit of another, not 0: %w", n, err)
			}
			if i == 0 {
				elsewhere(t, func() error {
					_, err := db.Article.Create(ctx, full("a"))
					return err
				})
			}
		}
		return nil
	})
	if err != nil || tries != 1 {
		t.Errorf("after %d tries: %v", tries, err)
	}
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows after it", n)
	}
}

// elsewhere runs fn as another goroutine of the program does.
func elsewhere(t *testing.T, fn func() error) {
	t.Helper()
	done := make(chan error)
	go func() { done <- fn() }()
	if err := <-done; err != nil {
		t.Error(err)
	}
}

// testReadOnly refuses whatever writes, and locks, and serves whatever reads.
func testReadOnly(t *testing.T, db *DB) {
	ctx := t.Context()
	a := mustCreate(t, db, full("a"))
	readOnly := store.TxOptions{ReadOnly: true, Name: "report"}
	err := db.TxWith(ctx, readOnly, func(c *core.Conn) error {
		row, err := In(c).Article.Get(ctx, a.ID)
		if err != nil {
			return err
		}
		wantSame(t, a, row)
		_, err = In(c).Article.List(ctx, store.Query[ArticleID]{})
		return err
	})
	if err != nil {
		t.Errorf("reads: %v", err)
	}
	for what, write := range map[string]func(*Tx) error{
		"Create": func(in *Tx) error { _, err := in.Article.Create(ctx, full("b")); return err },
		"CreateMany": func(in *Tx) error {
			many := make([]ArticleNew, 100)
			for i := range many {
				many[i] = full(fmt.Sprint(i))
			}
			_, err := in.Article.CreateMany(ctx, many)
			return err
		},
		"Update": func(in *Tx) error {
			_, err := in.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Int(7)})
			return err
		},
		"UpdateIf": func(in *Tx) error {
			_, err := in.Article.UpdateIf(ctx, a.ID, ArticleFields.Slug.Eq("a"), ArticlePatch{Views: store.Int(7)})
			return err
		},
		"UpdateWhere": func(in *Tx) error {
			_, err := in.Article.UpdateWhere(ctx, ArticleFields.Slug.Eq("a"), ArticlePatch{Views: store.Add(7)})
			return err
		},
		"Upsert":       func(in *Tx) error { _, err := in.Article.UpsertUnique(ctx, 0, full("a")); return err },
		"Delete":       func(in *Tx) error { return in.Article.Delete(ctx, a.ID) },
		"DeleteWhere":  func(in *Tx) error { _, err := in.Article.DeleteWhere(ctx, ArticleFields.Slug.Eq("a")); return err },
		"GetForUpdate": func(in *Tx) error { _, err := in.Article.GetForUpdate(ctx, a.ID); return err },
		"ListForUpdate": func(in *Tx) error {
			_, err := in.Article.ListForUpdate(ctx, store.Query[ArticleID]{}, store.SkipLocked)
			return err
		},
		"Exec": func(in *Tx) error {
			_, err := in.Conn.Exec(ctx, "DELETE FROM article", nil)
			return err
		},
		"Query": func(in *Tx) error {
			update := "UPDATE article SET views = 7 RETURNING views"
			if in.Conn.Dialect() == sqltext.MySQL {
				update = "INSERT INTO author (name) VALUES ('a') RETURNING id" // MariaDB's
			}
			var n int64
			return in.Conn.QueryRow(ctx, update, nil, []any{&n})
		},
	} {
		tries := 0
		err := db.TxWith(ctx, readOnly, func(c *core.Conn) error {
			tries++
			return write(In(c))
		})
		if !errors.Is(err, store.ErrInvalid) || !strings.Contains(err.Error(), "TxOptions.ReadOnly neither writes nor locks rows") || tries != 1 {
			t.Errorf("%s: %v after %d tries", what, err, tries)
		}
		// An error that fn does not return ends the transaction all the same.
		err = db.TxWith(ctx, readOnly, func(c *core.Conn) error {
			if write(In(c)) == nil {
				t.Errorf("%s went through", what)
			}
			return nil
		})
		if what != "GetForUpdate" && what != "ListForUpdate" && !errors.Is(err, store.ErrInvalid) { // refused before they are sent
			t.Errorf("%s, whose error is not returned: %v", what, err)
		}
	}
	row, err := db.Article.Get(ctx, a.ID)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, a, row)
	if n := count(t, db); n != 1 {
		t.Errorf("%d rows after it", n)
	}
	if _, err := db.Article.Update(ctx, a.ID, ArticlePatch{Views: store.Int(8)}); err != nil {
		t.Errorf("a write after it: %v", err)
	}
}

// testTxOptions finds the name of a transaction in its errors, and a wrong level refused.
func testTxOptions(t *testing.T, db *DB) {
	ctx := t.Context()
	tries := 0
	err := db.TxWith(ctx, store.TxOptions{Name: "transfer"}, func(*core.Conn) error {
		tries++
		return store.ErrBusy
	})
	if !errors.Is(err, store.ErrBusy) || !strings.Contains(err.Error(), fmt.Sprintf("transaction \"transfer\" given up after %d attempts", tries)) {
		t.Errorf("after %d tries: %v", tries, err)
	}
	err = db.TxWith(ctx, store.TxOptions{Isolation: 3}, func(*core.Conn) error { return errOwn })
	wantErr(t, err, store.ErrInvalid)
}
