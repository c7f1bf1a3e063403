package sqlite_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/generated"
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
