package migrate_test

import (
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// changes are examples of the rows of "Every change" in docs/evolution.md: the lines of a definition
// before and after. Together those of a row have steps of each class that the row names.
var changes = []struct{ row, before, after string }{
	{"datatype renamed", field("a, type: select, options: [x]"), "was: article\n" + field("a, type: select, options: [x]")},
	{"new field, may be empty", field("a, type: number"), field("a, type: number}, {name: b, type: reference, to: author, on_delete: set_null")},
	{"new field with `default: now`", field("a, type: number"), field("a, type: number}, {name: b, type: datetime, default: now")},
	{"new field, required", field("a, type: number"), field("a, type: number}, {name: b, type: number, required: true, existing: {value: 1}")},
	{"new field, required", field("a, type: number"), field("a, type: number}, {name: b, type: number, required: true, existing: {step: fill}")},
	{"new unique field", field("a, type: number"), field("a, type: number}, {name: b, type: number, unique: true")},
	{"field renamed", field("a, type: text, max: 50"), field("b, was: a, type: text, max: 50")},
	{"field renamed", field("a, type: select, options: [x]"), field("b, was: a, type: select, options: [x]")},
	{"field renamed", field("a, type: number, unique: true"), field("b, was: a, type: number, unique: true")},
	{"becomes required", field("a, type: number"), field("a, type: number, required: true, existing: {value: 1}")},
	{"required no more", field("a, type: number, required: true"), field("a, type: number")},
	{"default changed", field("a, type: number, default: 1"), field("a, type: number, default: 2")},
	{"default added, removed", field("a, type: number"), field("a, type: number, default: 1, existing: default")},
	{"default added, removed", field("a, type: number, default: 1"), field("a, type: number")},
	{"default added, removed", field("a, type: number, required: true"), field("a, type: number, required: true, default: 1")},
	{"longer `max` of text", field("a, type: text, max: 50"), field("a, type: text, max: 64")},
	{"lower `max` of text", field("a, type: text, max: 50"), field("a, type: text, max: 40, existing: {value: x}")},
	{"lower `max` of text", field("a, type: text, max: 700"), field("a, type: text, max: 40")},
	{"lower `max` of a number", field("a, type: number"), field("a, type: number, max: 9, existing: {value: 1}")},
	{"`max` of text above", field("a, type: text, max: 50"), field("a, type: text, max: 700")},
	{"option added", field("a, type: select, options: [x]"), field("a, type: select, options: [x, y]")},
	{"option renamed", field("a, type: select, options: [x]"), field("a, type: select, options: [{value: y, was: x}]")},
	{"option removed", field("a, type: select, options: [x, y]"), field("a, type: select, options: [x], existing: {value: x}")},
	{"`scale` of a decimal", field("a, type: decimal"), field("a, type: decimal, scale: 4")},
	{"number to text", field("a, type: number"), field("a, type: text")},
	{"number to text", field("a, type: number, required: true"), field("a, type: text, required: true")},
	{"number to text", field("a, type: date"), field("a, type: datetime")},
	{"text to number", field("a, type: text, max: 50"), field("a, type: number")},
	{"text to number", field("a, type: text, required: true"), field("a, type: number, required: true")},
	{"text to number", field("a, type: datetime"), field("a, type: date")},
	{"number, decimal or text to float", field("a, type: number"), field("a, type: float")},
	{"float to number or decimal", field("a, type: float"), field("a, type: decimal")},
	{"another `on_delete`", field("a, type: reference, to: author, on_delete: cascade"), field("a, type: reference, to: author, on_delete: restrict")},
	{"index added", field("a, type: number"), field("a, type: number") + "\nindexes: [{fields: [a]}]"},
	{"index removed", field("a, type: number") + "\nindexes: [{fields: [a]}]", field("a, type: number")},
	{"index of another name", field("a, type: number") + "\nindexes: [{fields: [a]}]", field("a, type: number") + "\nindexes: [{fields: [a], name: other}]"},
	{"member of a json field renamed", field("a, type: json, fields: [{name: x, type: text}]"), field("a, type: json, fields: [{name: y, was: x, type: text}]")},
	{"member of a json field added", field("a, type: json, fields: [{name: x, type: number}]"), field("a, type: json, fields: [{name: x, type: float}, {name: y, type: text, required: true}]")},
	{"member of a json field removed", field("a, type: json, fields: [{name: x, type: text}, {name: y, type: text}]"), field("a, type: json, drop: [y], fields: [{name: x, type: text}]")},
}

func field(declaration string) string { return "fields: [{name: " + declaration + "}]" }

// TestDocumentedClasses compares the classes that docs/evolution.md has of each change with those of its steps.
func TestDocumentedClasses(t *testing.T) {
	text, err := os.ReadFile("../../docs/evolution.md")
	if err != nil {
		t.Fatal(err)
	}
	planned := map[string][]string{} // "rewrites on MySQL", by row
	for _, c := range changes {
		planned[c.row] = append(planned[c.row], classesOf(t, c.before, c.after)...)
	}
	for row, steps := range planned {
		at := strings.Index(string(text), "\n| "+row)
		if at < 0 {
			t.Errorf("docs/evolution.md has no row %q", row)
			continue
		}
		cell := strings.Split(string(text)[at:], "|")[2]
		said := saidClasses(cell)
		for _, step := range steps {
			if !slices.ContainsFunc(said, func(on []string) bool { return slices.Contains(on, step) }) {
				t.Errorf("%s: a step %s, and docs/evolution.md has %q", row, step, cell)
			}
		}
		for _, on := range said {
			if !slices.ContainsFunc(on, func(s string) bool { return slices.Contains(steps, s) }) {
				t.Errorf("%s: no step %s, of which docs/evolution.md has %q", row, strings.Join(on, ", "), cell)
			}
		}
	}
}

var classWord = regexp.MustCompile(`(blocks|rewrites|data|destroys)( on (?:SQLite|PostgreSQL|MySQL)(?: and (?:PostgreSQL|MySQL))?)?`)

// saidClasses returns, for each class in a cell and each database that it names, the steps that bear
// it out: one database's, or those of any where the cell names none.
func saidClasses(cell string) (said [][]string) {
	for _, m := range classWord.FindAllStringSubmatch(cell, -1) {
		var on []string
		for _, db := range databaseNames {
			switch {
			case m[2] == "":
				on = append(on, m[1]+" on "+db)
			case strings.Contains(m[2], db):
				said = append(said, []string{m[1] + " on " + db})
			}
		}
		if on != nil {
			said = append(said, on)
		}
	}
	return said
}

var databaseNames = map[model.Database]string{model.SQLite: "SQLite", model.Postgres: "PostgreSQL", model.MySQL: "MySQL"}

// classesOf returns the classes of a change's steps that are more than safe, as "rewrites on MySQL". On SQLite a
// step that makes the table anew holds others up too, so that one that only blocks adds nothing.
func classesOf(t *testing.T, before, after string) (classes []string) {
	t.Helper()
	version := func(article, name string) *model.Project {
		return project(t, fstest.MapFS{
			"datatypes/author.yaml":       {Data: []byte("name: author\nfields: [{name: name, type: text}]\n")},
			"datatypes/" + name + ".yaml": {Data: []byte("name: " + name + "\n" + article + "\n")},
		})
	}
	name := "article"
	if strings.HasPrefix(after, "was:") {
		name = "post"
	}
	chain := &migrate.Chain{Folder: "migrations", Migrations: []*migrate.Migration{{Name: "0001_init", Snapshot: migrate.Take(version(before, "article"))}}}
	next, err := chain.Next("change", version(after, name))
	if err != nil {
		t.Fatal(err)
	}
	for db, name := range databaseNames {
		s, err := next[0].Script("migrations", db)
		if err != nil {
			t.Fatal(err)
		}
		rebuilds := slices.ContainsFunc(s.Steps, func(step script.Step) bool { return step.Rebuilt != "" })
		for _, step := range s.Steps {
			if step.Class != script.Safe && !(rebuilds && step.Class == script.Blocks) {
				classes = append(classes, string(step.Class)+" on "+name)
			}
		}
	}
	return classes
}
