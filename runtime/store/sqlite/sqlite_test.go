package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *storetest.DB {
		return storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "test.db"), store.Options{})
	})
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(t *testing.T) *storetest.DB {
		return storetest.Open(t, "sqlite::memory:", store.Options{})
	})
}
