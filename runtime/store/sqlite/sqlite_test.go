package sqlite_test

import (
	"path/filepath"
	"testing"

	_ "github.com/hegner123/modulagen/runtime/store/sqlite"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestFile(t *testing.T) {
	storetest.Run(t, func(t *testing.T) string { return "sqlite:" + filepath.Join(t.TempDir(), "test.db") })
}

func TestMemory(t *testing.T) {
	storetest.Run(t, func(*testing.T) string { return "sqlite::memory:" })
}
