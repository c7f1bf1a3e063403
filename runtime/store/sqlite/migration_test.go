package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// The index of a table that does not fit into memory is sorted in files.
func TestMigrationsSortInFiles(t *testing.T) {
	db, err := core.Open(t.Context(), "sqlite:"+filepath.Join(t.TempDir(), "app.db"), nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	b, _ := core.Below(db)
	m, err := b.(core.Migrator).Migration(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer m.Close()
	const inFiles = 1
	var place int64
	if err := m.QueryRow(t.Context(), "PRAGMA temp_store", nil, []any{&place}); err != nil || place != inFiles {
		t.Errorf("temp_store is %d (%v), want %d", place, err, inFiles)
	}
}
