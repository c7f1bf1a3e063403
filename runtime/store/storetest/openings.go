package storetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
)

func testOpenTwice(t *testing.T, dsn string) {
	a := Open(t, dsn, store.Options{})
	n := mustCreate(t, a, full("a"))
	b := Open(t, dsn, store.Options{MaxConns: 2})
	if got, err := b.Article.Get(t.Context(), n.ID); err != nil || got.Slug != "a" {
		t.Errorf("%+v, %v", got, err)
	}
	mustCreate(t, b, full("b"))
	if n := count(t, a); n != 2 {
		t.Errorf("%d rows", n)
	}
}

// testOpenAtOnce opens one new database from several sides.
func testOpenAtOnce(t *testing.T, dsn string) {
	var wg sync.WaitGroup
	for range 6 {
		wg.Go(func() {
			db, err := store.Open(context.Background(), dsn, Schema(), store.Options{MaxConns: 2})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := On(db).Author.Create(context.Background(), AuthorNew{Email: store.NewULID() + "@example.com"}); err != nil {
				t.Error(err)
			}
			if err := db.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if n, err := Open(t, dsn, store.Options{}).Author.Count(t.Context(), store.Cond[AuthorID]{}, 0); err != nil || n != 6 {
		t.Errorf("%d rows, %v", n, err)
	}
}

// testOpenDiffers opens a database whose tables are others.
func testOpenDiffers(t *testing.T, dsn string) {
	ctx := t.Context()
	db := Open(t, dsn, store.Options{})
	d := db.Conn().Dialect()
	for _, text := range []string{
		"ALTER TABLE author ADD COLUMN extra " + [3]string{"TEXT", "text", "text"}[d],
		"ALTER TABLE article DROP COLUMN token",
		[3]string{"DROP INDEX article_slug_key", "DROP INDEX article_slug_key", "DROP INDEX article_slug_key ON article"}[d],
		"CREATE UNIQUE INDEX article_views_key ON article (views)",
		"CREATE INDEX article_by_hand ON article (views, title)",
	} {
		if _, err := db.Conn().Exec(ctx, text, nil); err != nil {
			t.Fatal(err)
		}
	}
	schema := Schema()
	article := &schema.Tables[1]
	article.Columns = append([]store.Column(nil), article.Columns...)
	article.Columns[2].Types = [3]string{"INTEGER", "bigint", "bigint"} // title
	article.Columns[3].Null = false                                     // body
	article.Columns[6].Null = true                                      // views
	_, err := store.Open(ctx, dsn, schema, store.Options{})
	var differs *store.SchemaError
	if !errors.As(err, &differs) || !errors.Is(err, store.ErrSchema) {
		t.Fatal(err)
	}
	text := strings.Join(differs.Differences, "\n")
	for _, want := range []string{
		"author.extra: the database has a column", "article.token: the column is missing", "article.title: the column is",
		"article.body: the column allows NULL", "article.views: the column is NOT NULL", "unique article_slug_key (slug) is missing",
		"unique article_views_key (views)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the difference %q is not told", want)
		}
	}
	if len(differs.Differences) != 7 {
		t.Errorf("differences:\n%s", text)
	}
}

// testOpenCompletes opens a database that lacks one of two tables.
func testOpenCompletes(t *testing.T, dsn string) {
	db := Open(t, dsn, store.Options{})
	if _, err := db.Author.Create(t.Context(), AuthorNew{Email: "a@example.com"}); err != nil {
		t.Fatal(err)
	}
	if _, err := db.Conn().Exec(t.Context(), "DROP TABLE article", nil); err != nil {
		t.Fatal(err)
	}
	again := Open(t, dsn, store.Options{})
	mustCreate(t, again, full("a"))
	if n, err := again.Author.Count(t.Context(), store.Cond[AuthorID]{}, 0); err != nil || n != 1 {
		t.Errorf("%d authors, %v", n, err)
	}
}

func testClosed(t *testing.T, dsn string) {
	db, err := store.Open(t.Context(), dsn, Schema(), store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	own := On(db)
	for range 2 {
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	_, err = own.Article.Get(t.Context(), 1)
	wantErr(t, err, store.ErrClosed)
	_, err = own.Article.Create(t.Context(), full("a"))
	wantErr(t, err, store.ErrClosed)
	wantErr(t, db.Tx(t.Context(), func(*store.Conn) error { return nil }), store.ErrClosed)
	_, err = db.Now(t.Context())
	wantErr(t, err, store.ErrClosed)
}

func testClock(t *testing.T, db *DB) {
	now, err := db.Now(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	if d := time.Since(now); d < -time.Minute || d > time.Minute || now.Location() != time.UTC || now.Nanosecond()%1000 != 0 {
		t.Errorf("the database's clock says %s, %s off", now, d)
	}
}
