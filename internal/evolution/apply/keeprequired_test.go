package apply_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	evolution "github.com/hegner123/modulagen/gen/migrate"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// demanded are fields of each kind that must have a value, with one as each database writes it.
var demanded = []struct{ name, field, sqlite, postgres, mysql string }{
	{"a_text", "type: text, required: true", "'a'", "'a'", "'a'"},
	{"a_long", "type: textarea, required: true", "'b'", "'b'", "'b'"},
	{"a_number", "type: number, required: true", "3", "3", "3"},
	{"a_decimal", "type: decimal, scale: 2, required: true", "125", "1.25", "1.25"},
	{"a_float", "type: float, required: true", "0.5", "0.5", "0.5"},
	{"a_flag", "type: boolean, required: true", "1", "TRUE", "TRUE"},
	{"a_time", "type: datetime, required: true", "'2024-01-02T03:04:05.000000Z'", "'2024-01-02T03:04:05Z'", "'2024-01-02 03:04:05'"},
	{"a_date", "type: date, required: true", "'2024-01-02'", "'2024-01-02'", "'2024-01-02'"},
	{"a_json", "type: json, required: true", "'[1]'", "'[1]'", "'[1]'"},
	{"a_blob", "type: bytes, required: true", "X'01'", `'\x01'`, "X'01'"},
	{"a_state", "type: select, options: [draft, live], required: true", "'live'", "'live'", "'live'"},
	{"an_author", "type: reference, to: author, required: true", "1", "1", "1"},
	{"a_default", "type: number, default: 7", "8", "8", "8"},
	{"a_moment", "type: datetime, default: now", "'2024-01-02T03:04:05.000000Z'", "'2024-01-02T03:04:05Z'", "'2024-01-02 03:04:05'"},
	{"a_day", "type: date, default: now", "'2024-01-02'", "'2024-01-02'", "'2024-01-02'"},
}

func renamedDemanded(prefix, more string) definitions {
	var b strings.Builder
	b.WriteString("fields:\n  - {name: who, type: text}\n")
	for _, d := range demanded {
		fmt.Fprintf(&b, "  - {name: %s%s, %s}\n", prefix, d.name, strings.ReplaceAll(more, "NAME", d.name)+d.field)
	}
	return definitions{"note": b.String(), "author": "fields:\n  - {name: name, type: text}\n"}
}

// TestKeepRequired renames columns that must have a value: those who write only one of the two names can, in whatever
// kind of statement, on databases that leave the column of the old name NOT NULL as well.
func TestKeepRequired(t *testing.T) {
	all := []definitions{renamedDemanded("", ""), renamedDemanded("new_", "was: NAME, keep: true, ")}
	p, chain := history(t, all...), chainOf(t, all...)
	back, err := evolution.Back(chain.Migrations[1], chain.Migrations[0].Snapshot, "migrations")
	if err != nil {
		t.Fatal(err)
	}
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		var old, now, values []string
		for _, d := range demanded {
			old, now = append(old, d.name), append(now, "new_"+d.name)
			kind, _, _ := strings.Cut(dsn, ":")
			values = append(values, map[string]string{"sqlite": d.sqlite, "postgres": d.postgres, "mysql": d.mysql}[kind])
		}
		insert := func(who int, columns []string) string {
			return fmt.Sprintf("INSERT INTO note (who, %s) VALUES ('%d', %s)", strings.Join(columns, ", "), who, strings.Join(values, ", "))
		}
		copied := func(who int, columns []string) string {
			list := strings.Join(columns, ", ")
			return fmt.Sprintf("INSERT INTO note (who, %s) SELECT '%d', %s FROM note WHERE id = 1", list, who, list)
		}
		prepared(t, p, dsn, "INSERT INTO author (id, name) VALUES (1, 'a')", insert(1, old))
		left(t, p[1], dsn)
		run(t, dsn, insert(2, old), insert(3, now), copied(4, old), copied(5, now))
		for i, name := range old {
			query := fmt.Sprintf("SELECT who FROM note WHERE %[1]s = (SELECT x.%[1]s FROM note x WHERE x.id = 1) AND new_%[1]s = %[2]s ORDER BY who", name, values[i])
			if demanded[i].name == "a_json" {
				query = "SELECT who FROM note WHERE a_json IS NOT NULL AND new_a_json IS NOT NULL ORDER BY who" // PostgreSQL compares none
			}
			if got := rows(t, dsn, query); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
				t.Errorf("%s: the rows with the value in both columns are %q", name, got)
			}
		}
		p[1].takeBack(t, dsn, back)
		left(t, p[0], dsn)
		if err := with(t.Context(), dsn, func(db *core.DB) error {
			_, err := db.Conn().Exec(t.Context(), "INSERT INTO note (who) VALUES ('6')", nil)
			return err
		}); err == nil {
			t.Error("a row without values was stored after the migration was taken back")
		}
		if r, err := p[1].up(t.Context(), dsn); err != nil || len(r.Applied) != 2 {
			t.Fatalf("%+v, %v", r, err)
		}
		left(t, p[1], dsn)
		if got := rows(t, dsn, "SELECT who FROM note WHERE new_a_text = 'a' ORDER BY who"); !slices.Equal(got, []string{"1", "2", "3", "4", "5"}) {
			t.Errorf("the rows are %q", got)
		}
	})
}

// left reports tables that are not as the last migration of them that was applied left them.
func left(t *testing.T, p program, dsn string) {
	t.Helper()
	err := with(t.Context(), dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		v, err := p.set.Verify(t.Context(), b, p.schema)
		if len(v.Differences) > 0 {
			t.Errorf("the database differs: %q", v.Differences)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
