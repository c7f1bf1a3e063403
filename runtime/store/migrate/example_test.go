package migrate_test

import (
	"cmp"
	"context"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

func ExampleRegister() {
	migrate.Register("fill_slug", migrate.DataStep{Batch: fillSlug}) // in an init function: before a database is opened
}

// fillSlug makes the slug of each article from its title.
func fillSlug(ctx context.Context, tx *core.Conn, cursor string) (next string, rows int, err error) {
	after, err := strconv.ParseInt(cmp.Or(cursor, "0"), 10, 64)
	if err != nil {
		return "", 0, err
	}
	type article struct {
		id    int64
		title string
	}
	var a article
	var batch []article
	arg := tx.Dialect().Placeholder // $1 on PostgreSQL, ? on the others
	err = tx.Query(ctx, "SELECT id, title FROM article WHERE id > "+arg(1)+" ORDER BY id LIMIT 200", []any{after},
		[]any{&a.id, &a.title}, func() error { batch = append(batch, a); return nil })
	if err != nil || len(batch) == 0 {
		return "", 0, err
	}
	for _, a := range batch {
		slug := strings.ReplaceAll(strings.ToLower(a.title), " ", "-")
		if _, err := tx.Exec(ctx, "UPDATE article SET slug = "+arg(1)+" WHERE id = "+arg(2), []any{slug, a.id}); err != nil {
			return "", 0, err
		}
	}
	return strconv.FormatInt(batch[len(batch)-1].id, 10), len(batch), nil
}

// TestExampleOfADataStep runs the data step that the page for users shows.
func TestExampleOfADataStep(t *testing.T) {
	source, err := os.ReadFile("example_test.go")
	if err != nil {
		t.Fatal(err)
	}
	page, err := os.ReadFile("../../../docs/evolution.md")
	if err != nil {
		t.Fatal(err)
	}
	_, code, _ := strings.Cut(string(source), "\nfunc fillSlug(")
	code, _, _ = strings.Cut(code, "\n}\n")
	if !strings.Contains(string(page), "func fillSlug("+code) {
		t.Errorf("the page does not show fillSlug as it is here")
	}
	slugged := first
	slugged.name = "0002_slug"
	slugged.ddl = strings.ReplaceAll(first.ddl, "hits {INT} NOT NULL,", "hits {INT} NOT NULL,\n  slug {TEXT} NULL,")
	slugged.tables = []core.TableDef{authorTable, articleTable("title", core.Column{Name: "slug", Null: true, Types: textType})}
	slugged.script = func(sqltext.Dialect) *script.Script {
		return &script.Script{Steps: []script.Step{
			{Class: script.Safe, What: "article.slug: add the column", Statements: []script.Statement{{
				SQL: "ALTER TABLE article ADD COLUMN slug {TEXT} NULL{INSTANT}", Done: []script.Probe{{Kind: "column", Table: "article", Name: "slug"}},
			}}},
			{Class: script.Data, What: "article.slug: fill the rows that are there", Run: "fill_slug"},
		}}
	}
	ExampleRegister()
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		seed(t, dsn)
		db := plainDB(t, dsn)
		do(t, db, "INSERT INTO article (author_id, title, hits) SELECT author_id, 'Of Two Words', 1 FROM article")
		mustOpen(t, dsn, store.MigrateUp, first, slugged)
		want(t, db, "SELECT count(*) FROM article WHERE slug = 'of-two-words'", 2)
		want(t, db, "SELECT count(*) FROM article WHERE slug IS NULL", 0)
	})
}
