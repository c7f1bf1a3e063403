package apply_test

import (
	"strings"
	"testing"
)

// TestDropTablesThatReferToEachOther drops two tables in a circle, and not what a person made of one.
func TestDropTablesThatReferToEachOther(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		stays := "fields:\n  - {name: title, type: text, max: 100}\n"
		p := historyDropping(t, definitions{
			"note": stays,
			"hen":  "fields:\n  - {name: egg, type: reference, to: egg}\n",
			"egg":  "fields:\n  - {name: hen, type: reference, to: hen}\n",
		}, definitions{"note": stays}, "hen", "egg")
		if _, err := p[0].up(ctx, dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO hen (id) VALUES (1)", "INSERT INTO egg (id, hen) VALUES (1, 1)", "UPDATE hen SET egg = 1", "INSERT INTO note (title) VALUES ('a')")
		if strings.HasPrefix(dsn, "postgres") {
			run(t, dsn, "CREATE VIEW brood AS SELECT id FROM hen")
			if _, err := p[1].up(ctx, dsn); err == nil || !strings.Contains(err.Error(), "brood") && !strings.Contains(err.Error(), "depend") {
				t.Fatalf("with a view: %v", err)
			}
			run(t, dsn, "DROP VIEW brood")
		}
		if _, err := p[1].up(ctx, dsn); err != nil {
			t.Fatal(err)
		}
		if got := rows(t, dsn, "SELECT title FROM note"); len(got) != 1 {
			t.Errorf("the rows are %q", got)
		}
	})
}
