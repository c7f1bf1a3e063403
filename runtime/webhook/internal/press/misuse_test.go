package press_test

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/storetest"
	"github.com/hegner123/modulagen/runtime/webhook/internal/press/generated"
)

// TestOneConnection: a transaction that has the only connection writes what fires webhooks,
// and neither waits for those that read webhooks nor they for it.
func TestOneConnection(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"memory", "sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite::memory:"
			switch name {
			case "sqlite":
				dsn = "sqlite:" + filepath.Join(t.TempDir(), "one.db")
			case "postgres", "mysql":
				dsn = storetest.FreshDSN(t, name)
			}
			t.Parallel()
			db, err := generated.Open(t.Context(), dsn, generated.Options{MaxConns: 1})
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { db.Close() })
			f := &fixture{T: t, dsn: dsn, db: db}
			e := f.endpoint(nil)
			r := f.hook("create", generated.FetchRequestNew{Name: "one", URL: e.URL})
			f.article("before")
			ctx, cancel := context.WithTimeout(t.Context(), patience)
			defer cancel()
			must(db.FetchRequests.Update(ctx, r.ID, generated.FetchRequestPatch{Name: store.Set("what is known is old")}))
			err = db.Tx(ctx, func(tx *generated.Tx) error {
				f.deliver(options(t))
				if name == "postgres" || name == "mysql" { // on SQLite the worker cannot claim beside a transaction
					e.next(t)
				}
				for i := range 20 {
					if _, err := tx.Article.Create(ctx, generated.ArticleNew{Title: fmt.Sprint(i)}); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				t.Fatal(err)
			}
			for _, d := range f.deliveries() {
				if row := f.ended(d.ID); row.Status != "delivered" || row.Attempts != 1 {
					t.Errorf("got %+v", row)
				}
			}
		})
	}
}
