package sqlc

import (
	"slices"
	"testing"

	"github.com/hegner123/modulagen/gen/model"
)

const (
	noWorker = "It writes book, and wakes no worker."
	noCache  = "It writes what page_cache depends on, and removes none of its entries."
	noMoment = "It changes note, and leaves updated_at as it was: set it to CURRENT_TIMESTAMP."
)

// What an upsert, a REPLACE and a statement about several tables write, each on a database that has it.
func TestWritesOfUpserts(t *testing.T) {
	for _, c := range []struct {
		db                model.Database
		statement         string
		bypasses, written []string
	}{
		{model.Postgres, "INSERT INTO note (text, updated_at) VALUES (@text, CURRENT_TIMESTAMP) ON CONFLICT (text) DO UPDATE SET text = excluded.text", []string{noMoment}, []string{"note"}},
		{model.SQLite, "INSERT INTO note (text, updated_at) VALUES (@text, CURRENT_TIMESTAMP) ON CONFLICT (text) WHERE text > 'a' DO UPDATE SET updated_at = CURRENT_TIMESTAMP WHERE note.text <> excluded.text", nil, []string{"note"}},
		{model.MySQL, "INSERT INTO note (text, updated_at) VALUES (@text, CURRENT_TIMESTAMP) ON DUPLICATE KEY UPDATE state = VALUES(state)", []string{noMoment, "It sets state of note, and nothing checks whether its workflow has such a move."}, []string{"note"}},
		{model.Postgres, "INSERT INTO note (text, updated_at) VALUES (@text, CURRENT_TIMESTAMP) ON CONFLICT DO NOTHING", nil, []string{"note"}},
		{model.Postgres, "WITH gone AS (DELETE FROM author WHERE id = @id RETURNING id) SELECT id FROM gone", []string{noCache}, []string{"author"}},
		{model.Postgres, "WITH added AS (INSERT INTO book (title) VALUES (@title) RETURNING id) UPDATE note SET text = 'x' FROM added", []string{noMoment, noWorker, noCache}, []string{"book", "note"}},
		{model.Postgres, "DELETE FROM book USING note WHERE note.text = book.title", []string{noCache}, []string{"book"}},
		{model.SQLite, "INSERT OR REPLACE INTO book (title) VALUES (@title)", []string{noWorker, noCache}, []string{"book"}},
		{model.MySQL, "UPDATE note AS n JOIN book b ON b.title = n.text SET b.sold = b.sold + 1, n.text = b.title", []string{noMoment, noCache}, []string{"book", "note"}},
		{model.MySQL, "UPDATE note JOIN book ON book.title = note.text SET sold = 1", []string{noCache}, []string{"book"}},
		{model.MySQL, "DELETE b FROM note AS n JOIN book AS b ON b.title = n.text", []string{noCache}, []string{"book"}},
		{model.SQLite, "INSERT INTO note (text) SELECT title FROM book WHERE true ON CONFLICT (text) DO UPDATE SET text = excluded.text, updated_at = CURRENT_TIMESTAMP", nil, []string{"note"}},
	} {
		w, mistakes := judge(t, c.statement, c.db)
		if len(mistakes) > 0 {
			t.Errorf("%s: %v", c.statement, mistakes)
		}
		if got := w.bypassed(); !slices.Equal(got, c.bypasses) {
			t.Errorf("%s\n  bypasses %q\n  want %q", c.statement, got, c.bypasses)
		}
		if got := w.writes(); !slices.Equal(got, c.written) {
			t.Errorf("%s\n  writes %q, want %q", c.statement, got, c.written)
		}
	}
}

// The update of an upsert is judged as one that stands alone.
func TestUpsertsAreJudged(t *testing.T) {
	for statement, fine := range map[string]bool{
		"INSERT INTO book (title) VALUES (@title) ON CONFLICT (title) DO UPDATE SET sold = book.sold + excluded.sold": true,
		"INSERT INTO book (title) VALUES (@title) ON CONFLICT (title) DO UPDATE SET out_on = CURRENT_TIMESTAMP":       false,
		"INSERT INTO book (title) VALUES (@title) ON CONFLICT (title) DO UPDATE SET sold = excluded.score":            false,
		"INSERT INTO book (title) VALUES (@title) ON CONFLICT (title) DO UPDATE SET status = 'lve'":                   false,
	} {
		if _, got := judge(t, statement, model.Postgres); (len(got) == 0) != fine {
			t.Errorf("%s gives %v", statement, got)
		}
	}
}
