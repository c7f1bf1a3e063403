package dialect

import (
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/dialect/statement"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/check"
)

func datatype(name string, fields ...*model.Field) *model.Datatype {
	return &model.Datatype{Name: name, GoRow: strings.ToUpper(name[:1]) + name[1:], ID: model.IDInteger, Fields: fields}
}

func reference(name string, to *model.Datatype) *model.Field {
	return &model.Field{
		Name: name, Type: "reference", References: to,
		Reference: &model.Reference{To: to.Name, OnDelete: "set_null"},
	}
}

func lower(datatypes ...*model.Datatype) *SQL {
	return Lower[Behavior](&model.Project{Datatypes: datatypes}, nil)
}

func TestReferencedTablesComeFirst(t *testing.T) {
	a := datatype("alpha")
	z := datatype("zulu")
	a.Fields = []*model.Field{reference("zulu_id", z)}
	for db, script := range lower(a, z).Databases {
		if first := script.Tables[0].Datatype.Name; first != "zulu" {
			t.Errorf("%s: the first table is %s, want zulu", db, first)
		}
	}
}

func TestTablesThatReferToEachOther(t *testing.T) {
	a, b := datatype("a"), datatype("b")
	a.Fields = []*model.Field{reference("b_id", b)}
	b.Fields = []*model.Field{reference("a_id", a)}
	sql := lower(a, b)
	for _, db := range []model.Database{model.Postgres, model.MySQL} {
		tables := sql.Databases[db].Tables
		if strings.Contains(tables[0].DDL, "FOREIGN KEY") {
			t.Errorf("%s: the first table refers to one that does not exist yet:\n%s", db, tables[0].DDL)
		}
		if want := "ALTER TABLE b ADD CONSTRAINT b_a_id_fkey FOREIGN KEY"; !strings.Contains(tables[1].DDL, want) {
			t.Errorf("%s: no %q in\n%s", db, want, tables[1].DDL)
		}
	}
	if s := sql.Databases[model.SQLite]; strings.Contains(s.Schema(), "ALTER TABLE") {
		t.Errorf("sqlite cannot add a constraint to a table:\n%s", s.Schema())
	}
}

func TestLiterals(t *testing.T) {
	price := &model.Field{Name: "price", Type: "decimal", Scale: 2}
	live := &model.Field{Name: "live", Type: "boolean"}
	name := &model.Field{Name: "name", Type: "text"}
	at := &model.Field{Name: "at", Type: "datetime"}
	tests := []struct {
		field *model.Field
		text  string
		want  [3]string
	}{
		{price, "19.9", [3]string{"1990", "19.9", "19.9"}},
		{price, "-0.05", [3]string{"-5", "-0.05", "-0.05"}},
		{price, "0.00", [3]string{"0", "0.00", "0.00"}},
		{live, "true", [3]string{"1", "TRUE", "TRUE"}},
		{name, `it's C:\`, [3]string{`'it''s C:\'`, `'it''s C:\'`, `'it''s C:\\'`}},
		{at, "2026-01-16T09:30:00.000000Z", [3]string{
			"'2026-01-16T09:30:00.000000Z'", "'2026-01-16T09:30:00.000000Z'", "'2026-01-16 09:30:00.000000'",
		}},
	}
	for _, test := range tests {
		for i, db := range model.Databases {
			l := statement.Writer{Dialect: dialects[db]}
			if got := l.Literal(test.field, test.text); got != test.want[i] {
				t.Errorf("%s: literal of %s %q is %s, want %s", db, test.field.Type, test.text, got, test.want[i])
			}
		}
	}
}

func TestUniqueWhere(t *testing.T) {
	slug := &model.Field{Name: "slug", Type: "slug", NotNull: true, Rules: check.Rules{Max: check.At("200")}}
	live := &model.Field{Name: "live", Type: "boolean", NotNull: true}
	d := datatype("page", slug, live)
	d.Indexes = []*model.Index{{
		Name: "page_slug_live_key", Unique: true, Columns: []model.IndexColumn{{Field: slug}},
		Where: []model.Condition{{Field: live, Op: "=", Values: []string{"true"}}},
	}}
	sql := lower(d)
	for db, want := range map[model.Database]string{
		model.SQLite:   "CREATE UNIQUE INDEX page_slug_live_key ON page (slug) WHERE live = 1;",
		model.Postgres: "CREATE UNIQUE INDEX page_slug_live_key ON page (slug) WHERE live = TRUE;",
		model.MySQL:    "UNIQUE KEY page_slug_live_key (slug, page_slug_live_key_when)",
	} {
		if got := sql.Databases[db].Schema(); !strings.Contains(got, want) {
			t.Errorf("%s: no %q in\n%s", db, want, got)
		}
	}
}

// sqlc's SQLite parser cuts a file short, without a word, at what is not ASCII.
func TestTextIsASCII(t *testing.T) {
	f := &model.Field{
		Name: "mood", Type: "select", NotNull: true, Default: &model.Default{Text: "fröhlich"},
		Options: []model.Option{{Value: "fröhlich"}}, Rules: check.Rules{Max: check.At("64")},
	}
	d := datatype("day", f)
	d.Label, d.Description = "Täglich", "*/ `x`\nß"
	for db, script := range lower(d).Databases {
		for _, r := range script.Schema() + script.QueriesFile() {
			if r > 126 {
				t.Errorf("%s: %q stands in the text", db, r)
			}
		}
	}
}

// TestJSONChecks: a null is valid for every version of SQLite, and text that is
// no JSON for none.
func TestJSONChecks(t *testing.T) {
	may, must := &model.Field{Name: "may", Type: "json"}, &model.Field{Name: "must", Type: "json", NotNull: true}
	ddl := lower(datatype("a", may, must)).Databases[model.SQLite].Tables[0].DDL
	for _, want := range []string{"CHECK (may IS NULL OR json_valid(may))", "CHECK (json_valid(must))"} {
		if !strings.Contains(ddl, want) {
			t.Errorf("no %s in\n%s", want, ddl)
		}
	}
}
