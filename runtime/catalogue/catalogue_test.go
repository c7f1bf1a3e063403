package catalogue_test

import (
	"context"
	"errors"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/mysql"
	_ "github.com/hegner123/modulagen/runtime/store/postgres"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

// onEach runs a test on every database, with a fresh one each.
func onEach(t *testing.T, test func(t *testing.T, dsn string)) {
	for _, name := range []string{"sqlite", "postgres", "mysql"} {
		t.Run(name, func(t *testing.T) {
			dsn := "sqlite:" + filepath.Join(t.TempDir(), "catalogue.db")
			if name != "sqlite" {
				dsn = storetest.FreshDSN(t, name)
			}
			test(t, dsn)
		})
	}
}

// names returns how often each datatype is in the catalogue.
func names(t *testing.T, db *generated.DB) map[string]int {
	t.Helper()
	out := map[string]int{}
	for d, err := range db.Datatypes.All(t.Context(), generated.DatatypeQuery{}) {
		if err != nil {
			t.Fatal(err)
		}
		out[d.Name]++
	}
	return out
}

// Processes that are opened at the same time, on tables that are empty, fill them once.
func TestOpenedTogether(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db, err := generated.Open(t.Context(), dsn, generated.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		want := names(t, db)
		for range 5 {
			if _, err := db.Datatypes.DeleteWhere(t.Context(), store.Everything[generated.DatatypeID]()); err != nil {
				t.Fatal(err)
			}
			var all sync.WaitGroup
			for range 4 {
				all.Go(func() {
					other, err := generated.Open(t.Context(), dsn, generated.Options{MaxConns: 3})
					if err != nil {
						t.Error(err)
						return
					}
					if err := other.Close(); err != nil {
						t.Error(err)
					}
				})
			}
			all.Wait()
			got := names(t, db)
			for name := range want {
				if got[name] != 1 {
					t.Errorf("%s is in the catalogue %d times", name, got[name])
				}
			}
		}
	})
}

// Opening a database whose catalogue is as defined only reads: another process may hold all
// that it would write.
func TestFillReadsOnly(t *testing.T) {
	onEach(t, func(t *testing.T, dsn string) {
		db, err := generated.Open(t.Context(), dsn, generated.Options{})
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close()
		undone := errors.New("undone")
		err = db.Tx(t.Context(), func(tx *generated.Tx) error {
			d, err := tx.Datatypes.GetByName(t.Context(), "routes")
			if err != nil {
				return err
			}
			if _, err := tx.Datatypes.Update(t.Context(), d.ID, generated.DatatypePatch{Label: store.Set("Held")}); err != nil {
				return err
			}
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
			defer cancel()
			other, err := generated.Open(ctx, dsn, generated.Options{})
			if err != nil {
				return err
			}
			return errors.Join(undone, other.Close())
		})
		if !errors.Is(err, undone) {
			t.Error(err)
		}
	})
}
