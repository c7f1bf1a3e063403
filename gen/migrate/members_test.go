package migrate_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/mistake"
	"github.com/hegner123/modulagen/gen/model"
)

// What earlier versions of the tool recorded of a json field with the members amount and currency: none of them, and
// their names.
var (
	withoutMembers = `{"datatypes": [{"name": "item", "fields": [{"name": "price", "type": "json", "max": "1048576"}]}]}`
	withNames      = `{"datatypes": [{"name": "item", "fields": [{"name": "price", "type": "json", "max": "1048576", "members": ["amount", "currency"]}]}], "members": true}`
)

// item is a project with a json field of such members.
func item(t *testing.T, members string) *model.Project {
	t.Helper()
	return project(t, fstest.MapFS{"datatypes/item.yaml": &fstest.MapFile{Data: []byte("name: item\nfields:\n  - {name: price, type: json, fields: [" + members + "]}\n")}})
}

// recordedAs is a chain of one migration, with the snapshot that a text is of.
func recordedAs(t *testing.T, text string) *migrate.Chain {
	t.Helper()
	s := &migrate.Snapshot{}
	if err := json.Unmarshal([]byte(text), s); err != nil {
		t.Fatal(err)
	}
	return &migrate.Chain{Migrations: []*migrate.Migration{{Name: "0001_init", Snapshot: s}}}
}

// steps are what the steps of a migration do on SQLite.
func steps(t *testing.T, m *migrate.Migration) (all []string) {
	t.Helper()
	s, err := m.Script("migrations", model.SQLite)
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range s.Steps {
		all = append(all, step.What)
	}
	return all
}

// TestMembersOfEarlierVersions compares definitions with snapshots that lack what this version of the tool records of members.
func TestMembersOfEarlierVersions(t *testing.T) {
	const same = "{name: currency, type: text}, {name: amount, type: number}"
	const renamed = "{name: amount, type: number}, {name: unit, was: currency, type: text}"
	for name, text := range map[string]string{"nothing": withoutMembers, "names": withNames} {
		t.Run(name, func(t *testing.T) {
			chain := recordedAs(t, text)
			if next, err := chain.Next("change", item(t, same)); err != nil || len(next) != 0 {
				t.Fatalf("the same definitions have the migrations %+v, %v", next, err)
			}
			next, err := chain.Next("change", item(t, renamed))
			if err != nil || len(next) != 1 {
				t.Fatalf("the migrations are %+v, %v", next, err)
			}
			if got := steps(t, next[0]); len(got) != 1 || got[0] != "item.price: currency becomes unit in its documents" {
				t.Errorf("the steps are %q", got)
			}
			_, err = migrate.Back(next[0], chain.Migrations[0].Snapshot, "migrations")
			if known := text == withNames; known != (err == nil) || !known && !errors.Is(err, migrate.ErrOneWay) {
				t.Errorf("the way back: %v", err)
			}
			chain.Migrations = append(chain.Migrations, next...)
			if next, err := chain.Next("change", item(t, renamed)); err != nil || len(next) != 0 {
				t.Errorf("once it is recorded, the migrations are %+v, %v", next, err)
			}
			_, err = chain.Next("change", item(t, "{name: amount, type: text}, {name: unit, type: text}"))
			if found, ok := errors.AsType[mistake.List](err); !ok || len(found) != 1 || !strings.Contains(found[0].Message, "the member amount of item.price was a number") {
				t.Errorf("the types that it records are not compared: %v", err)
			}
		})
	}
	next, err := recordedAs(t, withNames).Next("change", item(t, "{name: amount, type: text}, {name: currency, type: number, required: true}, {name: note, type: text}"))
	if err != nil || len(next) != 1 || len(steps(t, next[0])) != 0 {
		t.Errorf("types of which nothing is known are compared: %+v, %v", next, err)
	}
}

// TestMembersInAnyOrder has one migration for each change of what is recorded of a member, and none for its place.
func TestMembersInAnyOrder(t *testing.T) {
	const before = "{name: amount, type: number, max: 9}, {name: state, type: select, options: [a, b]}"
	chain := &migrate.Chain{}
	first, err := chain.Next("init", item(t, before))
	if err != nil {
		t.Fatal(err)
	}
	chain.Migrations = first
	for members, want := range map[string]int{
		before: 0,
		"{name: state, type: select, options: [a, b]}, {name: amount, type: number, max: 9}":                                            0,
		`{name: amount, type: number, max: 9, label: Sum, help: How much., secret: true}, {name: state, type: select, options: [a, b]}`: 0,
		"{name: amount, type: number, max: 10}, {name: state, type: select, options: [a, b]}":                                           1,
		"{name: amount, type: number, max: 9, required: true}, {name: state, type: select, options: [a, b]}":                            1,
		"{name: amount, type: number, max: 9}, {name: state, type: select, options: [a, b, c]}":                                         1,
		"{name: amount, type: number, max: 9}, {name: state, type: text}":                                                               1,
	} {
		next, err := chain.Next("change", item(t, members))
		if err != nil || len(next) != want {
			t.Errorf("%s: %d migrations, not %d: %v", members, len(next), want, err)
		}
	}
}

// TestMembersOfLaterVersions reads a snapshot with members that this version of the tool does not know.
func TestMembersOfLaterVersions(t *testing.T) {
	for member, want := range map[string]string{
		`{"name": "a", "type": "matrix"}`:                  `the member a of item.price has the type "matrix"`,
		`{"name": "a", "type": "number", "max": "plenty"}`: `the member a of item.price has the bounds "" and "plenty"`,
	} {
		text := `{"migration": "0001_init", "definition": ` + strings.Replace(withNames, `"amount", "currency"`, member, 1) + "}"
		_, err := migrate.Read(fstest.MapFS{"migrations/0001_init/definition.json": &fstest.MapFile{Data: []byte(text)}}, "migrations", nil)
		if found, ok := errors.AsType[mistake.List](err); !ok || len(found) != 1 || !strings.Contains(found[0].Message, want) {
			t.Errorf("the error is %v", err)
		}
	}
}

// TestMembersTakenBack takes changes of members back: where rows show whether the values of now are ones of before, these are
// looked at, and where no program of before could read them there is no way back.
func TestMembersTakenBack(t *testing.T) {
	for _, c := range []struct{ before, after, refuse, wrong string }{
		{"{name: a, type: number}", "{name: a, type: float}", "the member a of item.price is not written as a whole number of 64 bits", ""},
		{"{name: a, type: number, required: true}", "{name: a, type: number}", "the member a of item.price is required and has no value", ""},
		{"{name: a, type: text}", "{name: b, was: a, type: text, max: 300}", "the member a of item.price has more characters than max 255", ""},
		{"{name: a, type: number}", "{name: a, type: json}", "", "the member a of item.price was a json, and what documents hold of it cannot be read as a number"},
		{"{name: a, type: date}", "{name: b, was: a, type: text}", "", "the member b of item.price was a text, and what documents hold of it cannot be read as a date"},
	} {
		chain := &migrate.Chain{}
		for _, members := range []string{c.before, c.after} {
			next, err := chain.Next("change", item(t, members))
			if err != nil {
				t.Fatal(err)
			}
			chain.Migrations = append(chain.Migrations, next...)
		}
		back, err := migrate.Back(chain.Migrations[1], chain.Migrations[0].Snapshot, "migrations")
		if c.wrong != "" {
			if !errors.Is(err, migrate.ErrOneWay) || !strings.Contains(err.Error(), c.wrong) {
				t.Errorf("%s: the error is %v", c.after, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.after, err)
			continue
		}
		for db, s := range back {
			if len(s.Steps) == 0 || len(s.Steps[0].Refuse) != 1 || !strings.HasPrefix(s.Steps[0].Refuse[0].Because, c.refuse) {
				t.Errorf("%s on %s: the steps are %+v", c.after, db, s.Steps)
			}
		}
	}
}
