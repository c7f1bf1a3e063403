package apply_test

import (
	"slices"
	"strings"
	"testing"
)

// retyped is a change for which SQLite makes the table note anew, and which drops one column.
func retyped(t *testing.T) []program {
	return history(t,
		definitions{"note": "fields:\n  - {name: title, type: text}\n  - {name: n, type: number}\n  - {name: gone, type: text}\n"},
		definitions{"note": "drop: [gone]\nfields:\n  - {name: title, type: text}\n  - {name: n, type: text}\n"})
}

// TestRebuildKeepsWhatPeopleAdded makes a table of SQLite anew to which people have added.
func TestRebuildKeepsWhatPeopleAdded(t *testing.T) {
	p, dsn := retyped(t), "sqlite:"+t.TempDir()+"/app.db"
	if _, err := p[0].up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	run(t, dsn, "INSERT INTO note (title, n, gone) VALUES ('a', 1, 'x')",
		"CREATE INDEX mine ON note (title)", "CREATE VIEW titles AS SELECT title FROM note", "CREATE TABLE log (title TEXT)",
		"CREATE TRIGGER logs AFTER INSERT ON log BEGIN UPDATE note SET title = NEW.title; END",
		"CREATE VIEW broken AS SELECT x FROM missing")
	if _, err := p[1].up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	run(t, dsn, "INSERT INTO log VALUES ('b')")
	if got := rows(t, dsn, "SELECT title FROM titles"); !slices.Equal(got, []string{"b"}) {
		t.Errorf("the view has %q", got)
	}
	if got := rows(t, dsn, "SELECT name FROM sqlite_schema WHERE name = 'mine' AND tbl_name = 'note'"); len(got) != 1 {
		t.Error("the index is gone")
	}
}

// TestRebuildRefusesToLose makes a table of SQLite anew that has what its new form would lose.
func TestRebuildRefusesToLose(t *testing.T) {
	for _, c := range []struct{ name, sql, want string }{
		{"column", "ALTER TABLE note ADD COLUMN extra TEXT DEFAULT 'x'", "note has columns that the definitions do not know, and making it anew would lose their values: extra"},
		{"index", "CREATE INDEX mine ON note (gone)", "the index mine"},
		{"view", "CREATE VIEW mine AS SELECT gone FROM note", "the view mine"},
	} {
		t.Run(c.name, func(t *testing.T) {
			p, dsn := retyped(t), "sqlite:"+t.TempDir()+"/app.db"
			if _, err := p[0].up(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			run(t, dsn, "INSERT INTO note (title, n, gone) VALUES ('a', 1, 'b')", c.sql)
			before := rows(t, dsn, "SELECT sql FROM sqlite_schema")
			if _, err := p[1].up(t.Context(), dsn); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("the error is %v", err)
			}
			if after := rows(t, dsn, "SELECT sql FROM sqlite_schema"); !slices.Equal(before, after) {
				t.Errorf("the tables are %q", after)
			}
			if got := rows(t, dsn, "SELECT gone FROM note"); !slices.Equal(got, []string{"b"}) {
				t.Errorf("the rows are %q", got)
			}
		})
	}
}

// TestDefaultThatNoDatabaseKeeps adds a field whose default stands in no table of SQLite and PostgreSQL.
func TestDefaultThatNoDatabaseKeeps(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		p := history(t, definitions{"note": "fields:\n  - {name: n, type: number}\n  - {name: m, type: number}\n"},
			definitions{"note": "fields:\n  - {name: n, type: number}\n  - {name: m, type: text}\n  - {name: sign, type: text, max: 50, default: \"😀\\n\"}\n"},
			definitions{"note": "fields:\n  - {name: n, type: number}\n  - {name: m, type: text}\n  - {name: sign, type: text, max: 50, default: \"😀\\n\"}\n  - {name: end, type: text, max: 50, default: \"\\n\"}\n"})
		if _, err := p[0].up(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (n, m) VALUES (1, 2)")
		if _, err := p[2].up(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		if got := append(rows(t, dsn, "SELECT sign FROM note"), rows(t, dsn, "SELECT "+quoted(dsn, "end")+" FROM note")...); !slices.Equal(got, []string{"😀\n", "\n"}) {
			t.Errorf("the row has %q", got)
		}
	})
}

// quoted is a name that is a word of SQL.
func quoted(dsn, name string) string {
	if strings.HasPrefix(dsn, "mysql:") {
		return "`" + name + "`"
	}
	return `"` + name + `"`
}
