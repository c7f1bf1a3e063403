package apply_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/gen/model"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
)

// takeBack takes the last migration, 0002_change, back.
func (p program) takeBack(t *testing.T, dsn string, back map[model.Database]*script.Script) {
	t.Helper()
	err := with(t.Context(), dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		_, err := p.set.Down(t.Context(), b, "0002_change", back[model.Databases[b.Dialect()]], migrate.Options{NoBackup: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestKeepLeavesNothingBehind looks for triggers and their functions after the second migration of a rename in use,
// and after the first one was taken back, in the midst of the two.
func TestKeepLeavesNothingBehind(t *testing.T) {
	field := ", type: text, max: 100}\n  - {name: n, type: number}\n"
	all := []definitions{{"note": "fields:\n  - {name: title" + field}, {"note": "fields:\n  - {name: headline, was: title, keep: true" + field}}
	p, chain := history(t, all...), chainOf(t, all...)
	back, err := evolution.Back(chain.Migrations[1], chain.Migrations[0].Snapshot, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		prepared(t, p, dsn)
		run(t, dsn, "INSERT INTO note (title, n) VALUES ('a', 1)")
		if got := triggers(t, dsn); len(got) == 0 {
			t.Error("there are no triggers while both columns are kept")
		}
		p[1].takeBack(t, dsn, back)
		if got := triggers(t, dsn); len(got) > 0 {
			t.Errorf("taking the migration back leaves %q", got)
		}
		run(t, dsn, "INSERT INTO note (title, n) VALUES ('b', 2)", "UPDATE note SET title = 'c' WHERE n = 1")
		if r, err := p[1].up(t.Context(), dsn); err != nil || len(r.Applied) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		if got := triggers(t, dsn); len(got) > 0 {
			t.Errorf("the second migration leaves %q", got)
		}
		if got := rows(t, dsn, "SELECT headline FROM note ORDER BY n"); !slices.Equal(got, []string{"c", "b"}) {
			t.Errorf("the rows are %q", got)
		}
	})
}

// triggers lists the triggers of kept columns, and their functions.
func triggers(t *testing.T, dsn string) []string {
	t.Helper()
	kind, _, _ := strings.Cut(dsn, ":")
	return rows(t, dsn, map[string]string{
		"sqlite": "SELECT name FROM sqlite_schema WHERE type = 'trigger' AND name LIKE 'modulagen%'",
		"postgres": "SELECT tgname::text FROM pg_trigger WHERE tgname LIKE 'modulagen%' UNION ALL " +
			"SELECT proname::text FROM pg_proc WHERE proname LIKE 'modulagen%'",
		"mysql": "SELECT TRIGGER_NAME FROM information_schema.TRIGGERS WHERE TRIGGER_SCHEMA = DATABASE()",
	}[kind])
}

// TestBackFromOptions takes renamed options back, but not one that became another one: all rows of both would get
// the old name.
func TestBackFromOptions(t *testing.T) {
	const before = "fields:\n  - {name: state, type: select, options: [draft, published, live]}\n"
	for _, c := range []struct{ name, after, want string }{
		{"renamed", "[draft, {value: open, was: published}, live]", ""},
		{"swapped", "[draft, {value: live, was: published}, {value: published, was: live}]", ""},
		{"joined", "[draft, {value: live, was: published}]", "note.state: rows that were published and rows that were live are live alike"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := chainOf(t, definitions{"note": before}, definitions{"note": "fields:\n  - {name: state, type: select, options: " + c.after + "}\n"})
			_, err := evolution.Back(chain.Migrations[1], chain.Migrations[0].Snapshot, "migrations")
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, evolution.ErrOneWay) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("the error is %v", err)
			}
		})
	}
}
