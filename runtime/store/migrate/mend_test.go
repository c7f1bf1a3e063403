package migrate_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// shelf is a table in the form in which the generator writes it. Each of the parameters is empty or
// a part of it.
func shelf(d sqltext.Dialect, title, kind, optional, checks, indexes string) string {
	table := `CREATE TABLE book (
  id {ID},
  title ` + title + ` NOT NULL,
  kind {TEXT} NOT NULL` + optional + `,
  CONSTRAINT book_kind_check CHECK (` + kind + `)` + checks + `%s
){END};
%s`
	inside, after := "", ""
	for name := range strings.FieldsSeq(indexes) {
		column := strings.Split(name, "_")[1]
		unique := strings.HasSuffix(name, "_key")
		switch {
		case d == sqltext.MySQL && unique:
			inside += fmt.Sprintf(",\n  UNIQUE KEY %s (%s)", name, column)
		case d == sqltext.MySQL:
			inside += fmt.Sprintf(",\n  KEY %s (%s)", name, column)
		case unique:
			after += fmt.Sprintf("CREATE UNIQUE INDEX %s ON book (%s);\n", name, column)
		default:
			after += fmt.Sprintf("CREATE INDEX %s ON book (%s);\n", name, column)
		}
	}
	return words[d].Replace(`CREATE TABLE author (
  id {ID},
  name {TEXT} NOT NULL
){END};
` + fmt.Sprintf(table, inside, after))
}

// mended is the schema that programs have, and worn what is in the database: texts are shorter and options fewer,
// columns, checks, references and indexes are missing, and one may not be null.
func mended(d sqltext.Dialect) (schema *core.Schema, worn string) {
	long := [3]string{"TEXT", "varchar(200)", "varchar(200)"}
	kinds, few := "(kind = 'it''s' OR kind = 'b, (c)' OR kind = 'd')", "(kind = 'it''s' OR kind = 'd')"
	if d == sqltext.SQLite { // which cannot change a check
		few = kinds
	}
	null := [3]string{"", "", " NULL"}[d]
	optional := `,
  subtitle {TEXT}` + null + `,
  pages {INT} NOT NULL DEFAULT 0,
  code {TEXT}` + null + `,
  author {INT}` + null + `,
  note {TEXT}` + null
	checks := `,
  CONSTRAINT book_code_check CHECK ((code = 'x' OR code = 'y')),
  CONSTRAINT book_author_fkey FOREIGN KEY (author) REFERENCES author (id) ON DELETE SET NULL`
	schema = &core.Schema{}
	schema.DDL[d] = shelf(d, long[d], kinds, optional, checks, "book_code_key book_author_idx book_pages_idx")
	note := ",\n  note {TEXT} NOT NULL"
	if d == sqltext.SQLite {
		note = ",\n  note {TEXT}"
	}
	worn = shelf(d, strings.Replace(long[d], "200", "100", 1), few, note, "", "")
	longType := [3]string{"TEXT", "character varying(200)", "varchar(200)"}
	book := core.TableDef{Name: "book", Columns: []core.Column{
		{Name: "id", Types: idType},
		{Name: "title", Types: longType},
		{Name: "kind", Types: textType},
		{Name: "subtitle", Null: true, Types: textType},
		{Name: "pages", Types: intType},
		{Name: "code", Null: true, Types: textType},
		{Name: "author", Null: true, Types: intType},
		{Name: "note", Null: true, Types: textType},
	}, Indexes: []core.Index{
		{Name: "book_code_key", Columns: []int{5}, Unique: true}, {Name: "book_author_idx", Columns: []int{6}}, {Name: "book_pages_idx", Columns: []int{4}},
	}}
	schema.Tables = []core.TableDef{authorTable, book}
	return schema, worn
}

// TestMends runs the statements of an error of Open on databases with a row: nothing is left to mend, and the
// row is what it was.
func TestMends(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		schema, worn := mended(d)
		made := plainDB(t, dsn)
		b, _ := core.Below(made)
		err := b.Exclusive(t.Context(), func(s core.Session) error { // which has MySQL's collation
			for _, text := range core.Statements(worn) {
				if _, err := s.Exec(t.Context(), text, nil); err != nil {
					return err
				}
			}
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
		do(t, made, "INSERT INTO book (title, kind, note) VALUES ('a', 'it''s', 'n')")
		_, err = core.Open(t.Context(), dsn, schema, store.Options{})
		var differs *store.SchemaError
		if !errors.As(err, &differs) {
			t.Fatalf("the error of Open is %v", err)
		}
		isSchemaError(t, err, "book.subtitle: the column is missing", "these statements mend", "  ALTER TABLE book ADD COLUMN subtitle ", ";\n", "CONSTRAINT book_code_check CHECK", "REFERENCES author (id) ON DELETE SET NULL")
		for _, text := range differs.Statements {
			do(t, made, text)
		}
		again, err := core.Open(t.Context(), dsn, schema, store.Options{})
		if err != nil {
			t.Fatalf("after %s:\n%v", strings.Join(differs.Statements, ";\n"), err)
		}
		defer closeDB(t, again)
		found, err := b.Inspect(t.Context(), b, []string{"author", "book"})
		if err != nil {
			t.Fatal(err)
		}
		// Open does not ask for indexes that are not unique, nor for foreign keys.
		left, statements := core.Compare(d, schema, found)
		for _, text := range statements {
			do(t, made, text)
		}
		if found, err = b.Inspect(t.Context(), b, []string{"author", "book"}); err != nil {
			t.Fatal(err)
		}
		if still, _ := core.Compare(d, schema, found); len(left) == 0 || len(still) > 0 {
			t.Errorf("what differed after Open's statements is\n%s\nand after those of Compare\n%s", strings.Join(left, "\n"), strings.Join(still, "\n"))
		}
		want(t, made, "SELECT count(*) FROM book WHERE title = 'a' AND kind = 'it''s' AND note = 'n' AND pages = 0 AND code IS NULL", 1)
		for _, refused := range []string{
			"UPDATE book SET code = 'z'", "UPDATE book SET kind = 'z'", "UPDATE book SET author = 7", "UPDATE book SET pages = NULL",
		} {
			if _, err := again.Conn().Exec(t.Context(), refused, nil); err == nil {
				t.Errorf("%s is not refused", refused)
			}
		}
	})
}

// TestMendsKeepValues finds no statement for what would need a value for each row, or lose some.
func TestMendsKeepValues(t *testing.T) {
	onEach(t, func(t *testing.T, d sqltext.Dialect, dsn string) {
		schema, _ := mended(d)
		full := schema.DDL[d]
		worn := strings.NewReplacer(
			words[d].Replace("  title "), words[d].Replace("  heading "), // title is required, and has no default
			"200", "300", // longer than it has to be
			"'d')", "'d' OR kind = 'e')", // more than it has to allow
			words[d].Replace("  subtitle {TEXT}"), words[d].Replace("  subtitle {INT}"),
		).Replace(full)
		found := core.Expected(d, &core.Schema{DDL: [3]string{worn, worn, worn}, Tables: schema.Tables})
		book := &found[1]
		book.Columns = slices.Clone(book.Columns)
		book.Columns[1].Name = "heading"
		book.Columns[1].Types = [3]string{"TEXT", "character varying(300)", "varchar(300)"}
		book.Columns[3].Types = intType
		differences, statements := core.Compare(d, schema, found)
		text := strings.Join(differences, "\n")
		for _, want := range []string{"book.title: the column is missing", "book.heading: the database has a column", "book.subtitle: the column is", "book.kind: the database allows"} {
			if !strings.Contains(text, want) {
				t.Errorf("%q is not among the differences:\n%s", want, text)
			}
		}
		if len(statements) > 0 {
			t.Errorf("there are statements: %q", statements)
		}
	})
}

// TestMendsTables makes a table that someone has dropped, beside the migrations.
func TestMendsTables(t *testing.T) {
	onEach(t, func(t *testing.T, _ sqltext.Dialect, dsn string) {
		db := mustOpen(t, dsn, store.MigrateCheck, first)
		do(t, db, "DROP TABLE article")
		_, err := open(t.Context(), dsn, store.MigrateCheck, first)
		isSchemaError(t, err, "article: the table is missing", "  CREATE TABLE article (\n    id ", "modulagen migrate verify")
		var differs *store.SchemaError
		if errors.As(err, &differs) {
			for _, text := range differs.Statements {
				do(t, db, text)
			}
		}
		matches(t, mustOpen(t, dsn, store.MigrateCheck, first), first)
	})
}

// TestMendsAreFew keeps an error readable.
func TestMendsAreFew(t *testing.T) {
	e := &store.SchemaError{Database: "sqlite:x", Differences: []string{"all"}}
	for i := range 40 {
		e.Statements = append(e.Statements, fmt.Sprintf("CREATE INDEX i%d ON t (c)", i))
	}
	if said := e.Error(); strings.Count(said, "CREATE INDEX") != 12 || !strings.Contains(said, "  CREATE INDEX i11 ON t (c);\n  ... and 28 more\n") {
		t.Errorf("the error says %s", said)
	}
	if all := e.Mends(0); strings.Count(all, ";\n") != 40 || strings.Contains(all, "more") {
		t.Errorf("all statements are %s", all)
	}
}
