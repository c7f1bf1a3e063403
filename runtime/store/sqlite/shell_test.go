package sqlite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/generated"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestShell opens a generated database with the sqlite3 program, whose version
// is the system's and not ours: Debian 12 has 3.40, where json_valid(NULL) is 0.
// Rows with nulls in every column that may hold them are sound to it, and a
// person can add some.
func TestShell(t *testing.T) {
	shell, err := exec.LookPath("sqlite3")
	if err != nil {
		if os.Getenv("MODULAGEN_REQUIRE_SERVICES") != "" {
			t.Fatal("there is no sqlite3 program")
		}
		t.Skip("there is no sqlite3 program")
	}
	path := filepath.Join(t.TempDir(), "app.db")
	db, err := generated.Open(t.Context(), "sqlite:"+path, generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{MediaID: 1}); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ sql, want string }{
		{"INSERT INTO job_queue (job_type, payload) VALUES ('image_optimize', '{\"media_id\": 2}')", ""},
		{"SELECT count(*) FROM job_queue WHERE job_type = 'image_optimize'", "2"},
		{"PRAGMA integrity_check", "ok"},
		{"INSERT INTO job_queue (job_type, payload) VALUES ('image_optimize', '{')", "CHECK constraint failed"},
		{"PRAGMA foreign_key_check", ""},
	} {
		out, _ := exec.Command(shell, path, c.sql).CombinedOutput()
		if got := strings.TrimSpace(string(out)); got != c.want && (c.want == "" || !strings.Contains(got, c.want)) {
			t.Errorf("%s: got %q, want %q", c.sql, got, c.want)
		}
	}
}

// TestOlderChecks opens a database that was made when the check of JSON that may be null did not say
// "IS NULL OR": nothing has to be done to it.
func TestOlderChecks(t *testing.T) {
	schema, err := os.ReadFile("../../../generated/sql/sqlite/schema.sql")
	if err != nil {
		t.Fatal(err)
	}
	older := regexp.MustCompile(`\("?\w+"? IS NULL OR (json_valid\("?\w+"?\))\)`).ReplaceAllString(string(schema), "($1)")
	if strings.Contains(older, "IS NULL OR json_valid") || !strings.Contains(older, "CHECK (json_valid(action_config))") {
		t.Fatal("the schema has other checks")
	}
	path := "sqlite:" + filepath.Join(t.TempDir(), "app.db")
	made, err := core.Open(t.Context(), path, nil, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, text := range core.Statements(older) {
		if _, err := made.Conn().Exec(t.Context(), text, nil); err != nil {
			t.Fatal(err)
		}
	}
	if err := made.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := generated.Open(t.Context(), path, generated.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.JobQueue.EnqueueImageOptimize(t.Context(), generated.ImageOptimize{MediaID: 1}); err != nil {
		t.Error(err)
	}
}
