package sqlite_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/storetest"
)

func TestOptions(t *testing.T) {
	dir := t.TempDir()
	for _, good := range []string{"", "?synchronous=FULL&busy_timeout=10&readers=1&cache_kib=64"} {
		db := storetest.Open(t, "sqlite:"+filepath.Join(dir, "a.db")+good, store.Options{})
		if _, err := db.Article.Create(t.Context(), storetest.ArticleNew{Slug: "s" + good, Title: "Title"}); err != nil {
			t.Error(err)
		}
	}
	db := storetest.Open(t, "sqlite://"+filepath.Join(dir, "a.db"), store.Options{})
	if n, err := db.Article.Count(t.Context(), store.Cond[storetest.ArticleID]{}, 0); err != nil || n != 2 {
		t.Errorf("behind two slashes and a root: %d rows, %v", n, err)
	}
	noise := filepath.Join(dir, "noise.db")
	if err := os.WriteFile(noise, bytes.Repeat([]byte("this is no database\n"), 100), 0o600); err != nil {
		t.Fatal(err)
	}
	for bad, want := range map[string]string{
		"sqlite:":                        "names no file",
		"sqlite:a\x00b":                  "NUL",
		"sqlite:a.db?nothing=1":          `unknown option "nothing"`,
		"sqlite:a.db?synchronous=maybe":  "synchronous is",
		"sqlite:a.db?busy_timeout=-1":    "busy_timeout is a number",
		"sqlite:a.db?readers=many":       "readers is a number",
		"sqlite:file:a.db":               "sqlite:a.db",
		"sqlite:" + dir:                  "opening " + dir + ": it is a folder",
		"sqlite:" + dir + "/none/a.db":   "opening " + dir + "/none/a.db: the folder " + dir + "/none does not exist",
		"sqlite:" + noise:                "opening " + noise + ": the file is no SQLite database",
		"sqlite://tmp/a.db":              "write sqlite:tmp/a.db for a file below the working folder, sqlite:/tmp/a.db for one",
		"sqlite:a.db?readers=1;drop=all": "malformed",
	} {
		_, err := core.Open(t.Context(), bad, nil, store.Options{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// TestPragmas reads back what the connections were told.
func TestPragmas(t *testing.T) {
	db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"), store.Options{})
	ask := func(c *core.Conn) string {
		var out []string
		for _, p := range []string{"journal_mode", "synchronous", "foreign_keys", "query_only"} {
			var v any
			if err := c.QueryRow(t.Context(), "SELECT * FROM pragma_"+p, nil, []any{&v}); err != nil {
				t.Fatal(err)
			}
			out = append(out, fmt.Sprint(v))
		}
		return strings.Join(out, " ")
	}
	if got := ask(db.Conn()); got != "wal 1 1 1" {
		t.Errorf("a reader is %s", got)
	}
	err := db.Tx(t.Context(), func(c *core.Conn) error {
		if got := ask(c); got != "wal 1 1 0" {
			t.Errorf("the writer is %s", got)
		}
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestOtherProcess has a second connection pool stand for another process that
// holds the file's one write lock.
func TestOtherProcess(t *testing.T) {
	ctx := t.Context()
	dsn := "sqlite:" + filepath.Join(t.TempDir(), "a.db")
	a := storetest.Open(t, dsn, store.Options{})
	b := storetest.Open(t, dsn+"?busy_timeout=20", store.Options{Attempts: 2})
	patient := storetest.Open(t, dsn, store.Options{})
	waiting := make(chan error, 1)
	err := a.Tx(ctx, func(c *core.Conn) error {
		if _, err := storetest.In(c).Article.Create(ctx, storetest.ArticleNew{Slug: "a", Title: "Title"}); err != nil {
			return err
		}
		_, err := b.Article.Create(ctx, storetest.ArticleNew{Slug: "b", Title: "Title"})
		if !errors.Is(err, store.ErrBusy) {
			t.Errorf("a write beside the other's: %v", err)
		}
		if err := b.Tx(ctx, func(*core.Conn) error { return nil }); !errors.Is(err, store.ErrBusy) {
			t.Errorf("a transaction beside the other's: %v", err)
		}
		if n, err := b.Article.Count(ctx, store.Cond[storetest.ArticleID]{}, 0); err != nil || n != 0 {
			t.Errorf("a read beside a write: %d, %v", n, err)
		}
		short, cancel := context.WithTimeout(ctx, 20*time.Millisecond)
		defer cancel()
		if _, err := patient.Article.Create(short, storetest.ArticleNew{Slug: "c", Title: "Title"}); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("a wait that is cancelled: %v", err)
		}
		go func() {
			_, err := patient.Article.Create(ctx, storetest.ArticleNew{Slug: "d", Title: "Title"})
			waiting <- err
		}()
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if err := <-waiting; err != nil {
		t.Errorf("a write that waited: %v", err)
	}
}

// TestFull has the file reach the size that it may have.
func TestFull(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"), store.Options{})
	if _, err := db.Conn().Exec(ctx, "PRAGMA max_page_count = 60", nil); err != nil {
		t.Fatal(err)
	}
	big := storetest.ArticleNew{Slug: "big", Title: "Title", Body: store.Set(strings.Repeat("x", 1<<20))}
	if _, err := db.Article.Create(ctx, big); !errors.Is(err, store.ErrFull) {
		t.Errorf("a row that does not fit: %v", err)
	}
	err := db.Tx(ctx, func(c *core.Conn) error {
		_, err := storetest.In(c).Article.Create(ctx, big)
		return err
	})
	if !errors.Is(err, store.ErrFull) {
		t.Errorf("a transaction that does not fit: %v", err)
	}
	if _, err := db.Article.Create(ctx, storetest.ArticleNew{Slug: "small", Title: "Title"}); err != nil {
		t.Errorf("a small row afterwards: %v", err)
	}
}

// TestManyStatements prepares more texts than a connection keeps.
func TestManyStatements(t *testing.T) {
	db := storetest.Open(t, "sqlite::memory:", store.Options{})
	for round := range 2 {
		for i := range 600 {
			var n int64
			if err := db.Conn().QueryRow(t.Context(), fmt.Sprintf("SELECT %d + ?", i), []any{int64(1)}, []any{&n}); err != nil || n != int64(i+1) {
				t.Fatalf("round %d: %d of %d, %v", round, n, i, err)
			}
		}
	}
	for text, want := range map[string]string{
		"SELECT 1; SELECT 2": "one statement",
		"-- nothing":         "empty",
		"SELECT ?":           "takes 1 arguments, not 0",
		"SELECT 1, 2":        "has 2 columns, not 1",
		"SELEC":              "syntax error",
	} {
		var n int64
		if err := db.Conn().QueryRow(t.Context(), text, nil, []any{&n}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", text, err)
		}
	}
	var n int64
	if err := db.Conn().QueryRow(t.Context(), "SELECT 1;\n", nil, []any{&n}); err != nil {
		t.Error(err)
	}
}

// TestWriteThroughQuery writes with statements that give rows.
func TestWriteThroughQuery(t *testing.T) {
	ctx := t.Context()
	db := storetest.Open(t, "sqlite:"+filepath.Join(t.TempDir(), "a.db"), store.Options{})
	for i, text := range []string{
		"INSERT INTO author (id, email, realm) VALUES (?, ?, 'r') RETURNING id",
		"WITH x (a, b) AS (VALUES (?, ?)) INSERT INTO author (id, email, realm) SELECT a, b, 'r' FROM x RETURNING id",
	} {
		var id string
		err := db.Conn().QueryRow(ctx, text, []any{fmt.Sprintf("%026d", i), fmt.Sprintf("%d@example.com", i)}, []any{&id})
		if err != nil || len(id) != 26 {
			t.Errorf("%s: %q, %v", text, id, err)
		}
	}
	if n, err := db.Author.Count(ctx, store.Cond[storetest.AuthorID]{}, 0); err != nil || n != 2 {
		t.Errorf("%d rows, %v", n, err)
	}
}
