package core

import (
	"slices"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// TestLimits reads checks in the forms in which databases give them back.
func TestLimits(t *testing.T) {
	draft := []string{"draft", "gone"}
	for _, c := range []struct {
		dialect sqltext.Dialect
		check   string
		options []string
		length  string
	}{
		{sqltext.SQLite, `("status" = 'draft' OR "status" = 'gone')`, draft, ""},
		{sqltext.SQLite, `length(status) <= 30`, nil, "30"},
		{sqltext.SQLite, `json_valid(status)`, nil, ""},
		{sqltext.SQLite, `status IS NULL OR json_valid(status)`, nil, ""},
		{sqltext.SQLite, `status NOT IN ('draft', 'gone')`, nil, ""},
		{sqltext.SQLite, `status <> 'draft' -- not 'gone'`, nil, ""},
		{sqltext.Postgres, `(((status)::text = ANY ((ARRAY['draft'::character varying, 'gone'::character varying])::text[])))`, draft, ""},
		{sqltext.Postgres, `((status)::text = 'it''s'::text)`, []string{"it's"}, ""},
		{sqltext.Postgres, `((status)::text = E'a\\b'::text)`, []string{`a\b`}, ""},
		{sqltext.Postgres, `(char_length((status)::text) <= 12)`, nil, "12"},
		{sqltext.Postgres, `(status)::text ~ 'draft'::text`, nil, ""},
		{sqltext.MySQL, "(`status` in (_utf8mb4'draft',_utf8mb4'gone'))", draft, ""}, // MySQL
		{sqltext.MySQL, "`status` in ('draft','gone')", draft, ""},                   // MariaDB
		{sqltext.MySQL, "`status` = 'it\\'s' or `status` = 'a\\\\b'", []string{"it's", `a\b`}, ""},
		{sqltext.MySQL, "char_length(`status`) <= 12", nil, "12"},
	} {
		f := read(c.dialect, []string{"CREATE TABLE t (id text, status text,\n CONSTRAINT t_c CHECK (" + c.check + "\n))"})
		got := f.tables["t"]["status"]
		if !slices.Equal(got.options, c.options) || got.length != c.length {
			t.Errorf("%s: %q %q, want %q %q", c.check, got.options, got.length, c.options, c.length)
		}
		if f.checks["t_c"].column != "status" {
			t.Errorf("%s: the check belongs to %q", c.check, f.checks["t_c"].column)
		}
	}
}

// TestReferences reads foreign keys in the generator's forms and inline.
func TestReferences(t *testing.T) {
	f := read(sqltext.Postgres, []string{
		`CREATE TABLE book (id bigint, author text REFERENCES author (id) ON DELETE RESTRICT, "order" bigint,` +
			` CONSTRAINT book_o_fkey FOREIGN KEY ("order") REFERENCES "order" (id) ON DELETE CASCADE)`,
		`CREATE UNIQUE INDEX x ON book (author)`,
		`ALTER TABLE author ADD CONSTRAINT author_best_fkey FOREIGN KEY (best) REFERENCES book (id) ON DELETE SET NULL`,
	})
	want := []reference{
		{"book_author_fkey", "book", "author", "author", false, "RESTRICT"},
		{"book_o_fkey", "book", "order", "order", true, "CASCADE"},
		{"author_best_fkey", "author", "best", "book", true, "SET NULL"},
	}
	if !slices.Equal(f.references, want) {
		t.Errorf("references are %+v", f.references)
	}
}
