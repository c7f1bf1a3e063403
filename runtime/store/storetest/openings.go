package storetest

import (
	"context"
	"errors"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
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
			db, err := core.Open(context.Background(), dsn, Schema(), store.Options{MaxConns: 2})
			if err != nil {
				t.Error(err)
				return
			}
			if _, err := On(db).Author.Create(context.Background(), AuthorNew{Email: core.NewULID() + "@example.com"}); err != nil {
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
		"ALTER TABLE author ADD COLUMN extra " + [3]string{"TEXT", "varchar(10)", "varchar(10)"}[d] + " NOT NULL DEFAULT ''",
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
	article.Columns = append([]core.Column(nil), article.Columns...)
	article.Columns[2].Types = [3]string{"INTEGER", "bigint", "bigint"} // title
	article.Columns[3].Null = false                                     // body
	article.Columns[6].Null = true                                      // views
	schema.DDL[d] = strings.Replace(schema.DDL[d], "CHECK (status IN ('draft', 'published'))",
		"CHECK (status IN ('draft', 'published', 'it''s gone'))", 1)
	schema.DDL[d] = strings.Replace(schema.DDL[d], "CHECK (mood IN ('draft', 'published'))", "CHECK (mood = 'draft' OR mood = 'x')", 1)
	_, err := core.Open(ctx, dsn, schema, store.Options{})
	var differs *store.SchemaError
	if !errors.As(err, &differs) || !errors.Is(err, store.ErrSchema) {
		t.Fatal(err)
	}
	text := strings.Join(differs.Differences, "\n")
	for _, want := range []string{
		"author.extra: the database has a column", "article.token: the column is missing (" + shortTypes[d] + " NOT NULL)",
		"article.title: the column is",
		"article.status: the database allows draft, published; the definition wants draft, published, it's gone",
		"article.mood: the database allows draft, published; the definition wants draft, x",
		"article.body: the column allows NULL", "article.views: the column is NOT NULL", "the unique index article_slug_key (slug) is missing",
		"the unique index article_views_key (views)",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the difference %q is not told", want)
		}
	}
	if len(differs.Differences) != 9 {
		t.Errorf("differences:\n%s", text)
	}
	said := err.Error()
	if !strings.HasPrefix(said, "store: "+differs.Database+": the database's tables do not match the definitions:\n") ||
		!strings.Contains(said, "sql/"+d.String()+"/schema.sql") || !strings.HasPrefix(differs.Database, d.String()+":") {
		t.Errorf("the error is %s", said)
	}
	if u, err := url.Parse(dsn); err == nil && u.User != nil {
		if password, _ := u.User.Password(); password != "" && strings.Contains(said, password) {
			t.Errorf("the error holds the password")
		}
	}
}

// testOpenFits opens a database in which a newer program, or a person, has only added to what the
// definitions say; an index that is missing is logged with its statement.
func testOpenFits(t *testing.T, dsn string) {
	ctx := t.Context()
	db := Open(t, dsn, store.Options{})
	d := db.Conn().Dialect()
	text := [3]string{"TEXT", "text", "longtext"}[d]
	statements := []string{"ALTER TABLE author ADD COLUMN extra " + text, "CREATE INDEX article_by_hand ON article (views, title)"}
	statements = append(statements, [3][]string{
		{"DROP INDEX article_status_created_at_idx"},
		{"DROP INDEX article_status_created_at_idx", "ALTER TABLE article ALTER COLUMN title TYPE varchar(300)"},
		{"DROP INDEX article_status_created_at_idx ON article", "ALTER TABLE article MODIFY title varchar(300) NOT NULL"},
	}[d]...)
	for _, text := range statements {
		if _, err := db.Conn().Exec(ctx, text, nil); err != nil {
			t.Fatal(text, err)
		}
	}
	schema := Schema()
	schema.DDL[d] = strings.Replace(schema.DDL[d], "CHECK (status IN ('draft', 'published'))", "CHECK (status IN ('draft'))", 1)
	var log strings.Builder
	again, err := core.Open(ctx, dsn, schema, store.Options{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	defer again.Close()
	mustCreate(t, On(again), full("a"))
	if got := log.String(); strings.Count(got, "an index is missing") != 1 || !strings.Contains(got, "CREATE INDEX article_status_created_at_idx ON article") {
		t.Errorf("the log says %q", got)
	}
	b, _ := core.Below(again)
	found, err := b.Inspect(ctx, b, []string{"author", "article"})
	if err != nil {
		t.Fatal(err)
	}
	differences, _ := core.Compare(d, schema, found)
	all := strings.Join(differences, "\n")
	for _, want := range []string{"author.extra: the database has a column", "index article_status_created_at_idx (status, created_at desc) is missing", "article.status: the database allows draft, published"} {
		if !strings.Contains(all, want) {
			t.Errorf("%q is no difference:\n%s", want, all)
		}
	}
}

// testOpenChecks opens a database with checks of all forms, unchanged, and then
// with definitions that have none.
func testOpenChecks(t *testing.T, dsn string) {
	table := func(checks string) *core.Schema {
		text := "CREATE TABLE paper (\n  id " + paperID + ",\n  kind varchar(20),\n  name varchar(20)" + checks + "\n);\n"
		short := [3]string{"varchar(20)", "character varying(20)", "varchar(20)"}
		mysql := strings.Replace(text, "\n);", "\n) DEFAULT CHARSET=utf8mb4 COLLATE=utf8mb4_bin;", 1)
		id := core.Column{Name: "id", Types: [3]string{"varchar(26)", "character varying(26)", "varchar(26)"}}
		return &core.Schema{DDL: [3]string{text, text, mysql}, Tables: []core.TableDef{{
			Name:    "paper",
			Columns: []core.Column{id, {Name: "kind", Null: true, Types: short}, {Name: "name", Null: true, Types: short}},
		}}}
	}
	full := ",\n  CONSTRAINT paper_kind_check CHECK ((kind = 'a (b), c' OR kind = 'it''s' OR kind = 'AND'))," +
		"\n  CONSTRAINT paper_name_check CHECK (char_length(name) <= 12), CONSTRAINT by_hand CHECK (kind <> 'x' OR name <> 'y')"
	if strings.HasPrefix(dsn, "sqlite") {
		full = strings.Replace(full, "char_length", "length", 1)
	}
	var differences []string
	for _, checks := range []string{full, full, "", strings.Replace(full, "12", "13", 1), strings.Replace(full, "'AND'", "'and'", 1)} {
		db, err := core.Open(t.Context(), dsn, table(checks), store.Options{})
		var differs *store.SchemaError
		if errors.As(err, &differs) {
			differences = append(differences, differs.Differences...)
		} else if err != nil {
			t.Fatal(err)
		} else if err := db.Close(); err != nil {
			t.Error(err)
		}
	}
	want := []string{
		"paper.kind: the database allows a (b), c, it's, AND; the definition wants any value",
		"paper.name: the database allows at most 12 characters; the definition wants text of any length",
		"paper.name: the database allows at most 12 characters; the definition wants at most 13 characters",
		"paper.kind: the database allows a (b), c, it's, AND; the definition wants a (b), c, it's, and",
	}
	if !slices.Equal(differences, want) {
		t.Errorf("differences:\n%s", strings.Join(differences, "\n"))
	}
}

const paperID = "varchar(26) NOT NULL PRIMARY KEY"

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
	db, err := core.Open(t.Context(), dsn, Schema(), store.Options{})
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
	wantErr(t, db.Tx(t.Context(), func(*core.Conn) error { return nil }), store.ErrClosed)
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
