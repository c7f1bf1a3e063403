package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func open(t *testing.T, dsn string) *storetest.DB {
	t.Helper()
	db, err := store.Open(t.Context(), dsn, storetest.Schema(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return storetest.On(db)
}

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *storetest.DB {
		return open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"))
	})
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *storetest.DB { return open(t, "sqlite::memory:") })
}
