package sqlc_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/gen/dialect"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/gen/sqlc"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// keywords returns the words of testdata/keywords.txt that a grammar knows, sorted.
func keywords(t *testing.T, db model.Database) []string {
	t.Helper()
	data, err := os.ReadFile("testdata/keywords.txt")
	if err != nil {
		t.Fatal(err)
	}
	var out []string
	for line := range strings.Lines(string(data)) {
		if words := strings.Fields(line); slices.Contains(words[1:], string(db)) {
			out = append(out, words[0])
		}
	}
	slices.Sort(out)
	return out
}

// TestKeywordsAreComplete compares testdata/keywords.txt with the sources of sqlc's
// three grammars.
func TestKeywordsAreComplete(t *testing.T) {
	for _, g := range []struct {
		db           model.Database
		module, file string
		word         string
		least        int
	}{
		{model.SQLite, "github.com/sqlc-dev/sqlc", "internal/engine/sqlite/parser/SQLiteLexer.g4", `(?m)^([A-Z_]+)_:`, 150},
		{model.Postgres, "github.com/pganalyze/pg_query_go/v6", "parser/include/postgres/parser/kwlist.h", `PG_KEYWORD\("([a-z_0-9]+)"`, 450},
		{model.MySQL, "github.com/pingcap/tidb/pkg/parser", "keywords.go", `\{"([A-Z_0-9]+)", `, 650},
	} {
		dir, err := exec.Command("go", "list", "-m", "-f", "{{.Dir}}", g.module).Output()
		if err != nil {
			t.Fatalf("%s: %v", g.module, err)
		}
		source, err := os.ReadFile(filepath.Join(strings.TrimSpace(string(dir)), filepath.FromSlash(g.file)))
		if err != nil {
			t.Fatal(err)
		}
		known := keywords(t, g.db)
		found := regexp.MustCompile(g.word).FindAllStringSubmatch(string(source), -1)
		if len(found) < g.least {
			t.Errorf("%s: %d keywords found, %d expected at least: are they written otherwise now?", g.file, len(found), g.least)
		}
		for _, m := range found {
			if w := strings.ToLower(m[1]); !slices.Contains(known, w) && w[0] != '_' {
				t.Errorf("%s knows the keyword %s: add it to testdata/keywords.txt", g.db, w)
			}
		}
	}
}

// TestKeywordsAreQuoted has every keyword of a grammar as a table, unless it is
// reserved, and as a column: sqlc and SQLite take each for what it is. Shapes rely on
// it: they leave names out.
func TestKeywordsAreQuoted(t *testing.T) {
	for _, db := range model.Databases {
		t.Run(string(db), func(t *testing.T) {
			words := keywords(t, db)
			p := &model.Project{}
			for _, w := range words {
				if !sqltext.Reserved(w) {
					p.Datatypes = append(p.Datatypes, table(w, "f"))
				}
			}
			for part := range slices.Chunk(words, columnsOfTable) {
				d := table("columns_of_"+part[0], part...)
				keys(d)
				p.Datatypes = append(p.Datatypes, d)
			}
			in := sqlc.Input{Project: p, Tables: map[model.Database][]sqlc.Table{}}
			for _, of := range dialect.Lower[dialect.Behavior](p, nil).Databases[db].Tables {
				in.Tables[db] = append(in.Tables[db], sqlc.Table{Datatype: of.Datatype, DDL: of.DDL, Queries: of.Queries})
			}
			a := analyser(t)
			a.Cache = "off"
			result, err := a.Run(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			if n := result.Stats.Queries; n < 3*len(p.Datatypes) || result.Stats.Cached > 0 {
				t.Errorf("%d queries were analysed, of %d datatypes; %d of them had been before", n, len(p.Datatypes), result.Stats.Cached)
			}
		})
	}
}

// keys adds indexes of all columns, with what is read and written by them.
func keys(d *model.Datatype) {
	for fields := range slices.Chunk(d.Fields, columnsOfIndex) {
		x := &model.Index{Name: d.Name + "_" + fields[0].Name, Unique: true}
		for _, f := range fields {
			x.Columns = append(x.Columns, model.IndexColumn{Field: f})
		}
		d.Indexes = append(d.Indexes, x)
		d.Operations = append(d.Operations,
			&model.Operation{Name: "Get" + x.Name, Kind: model.OpGet, Key: x}, &model.Operation{Name: "Upsert" + x.Name, Kind: model.OpUpsert, Key: x})
	}
}

// Many columns to a table, and to an index, keep the number of statements low.
const (
	columnsOfTable = 96
	columnsOfIndex = 16
)

func number(name string) *model.Field {
	return &model.Field{Name: name, GoName: name, Type: "number", Rules: check.Rules{Kind: check.Int}}
}

// table is a datatype with what every datatype can do.
func table(name string, fields ...string) *model.Datatype {
	d := &model.Datatype{Name: name, GoRow: name, ID: model.IDInteger, Pos: model.Pos{File: name, Line: 1}}
	for _, f := range fields {
		d.Fields = append(d.Fields, number(f))
	}
	for _, kind := range []model.OpKind{model.OpInsert, model.OpGet, model.OpUpdate} {
		d.Operations = append(d.Operations, &model.Operation{Name: string(kind) + name, Kind: kind})
	}
	return d
}
