package apply_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// TestKeep renames a column while programs of both versions write.
func TestKeep(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		p := history(t,
			definitions{"note": "fields:\n  - {name: title, type: text, max: 100, required: true, unique: true}\n  - {name: n, type: number}\nindexes: [{fields: [n, title desc]}]\n"},
			definitions{"note": "fields:\n  - {name: headline, was: title, keep: true, type: text, max: 100, required: true, unique: true}\n  - {name: n, type: number}\nindexes: [{fields: [n, headline desc]}]\n"})
		old, err := p[0].open(ctx, dsn, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title, n) VALUES ('a', 1)")
		now, err := p[1].open(ctx, dsn, store.Options{Migrate: store.MigrateUp, NoBackup: true})
		if err != nil {
			t.Fatalf("with a program of before: %v", err)
		}
		again, err := p[0].open(ctx, dsn, store.Options{})
		if err != nil {
			t.Fatalf("a program of before, between the two migrations: %v", err)
		}
		if err := again.Close(); err != nil {
			t.Fatal(err)
		}
		run(t, dsn,
			"INSERT INTO note (title, n) VALUES ('b', 2)", "INSERT INTO note (headline, n) VALUES ('c', 3)",
			"INSERT INTO note (title, n) VALUES ('x', 4)", "UPDATE note SET headline = 'd' WHERE n = 4",
			"INSERT INTO note (headline, n) VALUES ('y', 5)", "UPDATE note SET title = 'e', n = 5 WHERE n = 5")
		for _, column := range []string{"title", "headline"} {
			if got := rows(t, dsn, "SELECT "+column+" FROM note ORDER BY n"); !slices.Equal(got, []string{"a", "b", "c", "d", "e"}) {
				t.Errorf("%s: %q", column, got)
			}
		}
		r, err := p[1].up(ctx, dsn)
		if err != nil || len(r.Applied) > 0 || len(r.Waits) != 1 || !strings.Contains(r.Waits[0], "at 0001_change") {
			t.Fatalf("with a program of before: %+v, %v", r, err)
		}
		status(t, p[1], dsn, "0003_change_contract", migrate.Pending, "at 0001_change")
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err = p[1].up(ctx, dsn); err != nil || !slices.Equal(r.Applied, []string{"0003_change_contract"}) {
			t.Fatalf("without a program of before: %+v, %v", r, err)
		}
		run(t, dsn, "INSERT INTO note (headline, n) VALUES ('f', 6)")
		for _, wrong := range []string{"INSERT INTO note (headline, n) VALUES ('a', 7)", "INSERT INTO note (n) VALUES (7)"} {
			if err := with(ctx, dsn, func(db *core.DB) error { _, err := db.Conn().Exec(ctx, wrong, nil); return err }); err == nil {
				t.Errorf("the database does not refuse %s", wrong)
			}
		}
		if got := rows(t, dsn, "SELECT headline FROM note ORDER BY n"); !slices.Equal(got, []string{"a", "b", "c", "d", "e", "f"}) {
			t.Errorf("the rows are %q", got)
		}
		if err := now.Close(); err != nil {
			t.Error(err)
		}
		last, err := p[1].open(ctx, dsn, store.Options{})
		if err != nil {
			t.Fatalf("after the second migration: %v", err)
		}
		if err := last.Close(); err != nil {
			t.Error(err)
		}
	})
}

func status(t *testing.T, p program, dsn, name string, state migrate.State, detail string) {
	t.Helper()
	err := with(t.Context(), dsn, func(db *core.DB) error {
		b, _ := core.Below(db)
		s, err := p.set.Status(t.Context(), b)
		if err != nil {
			return err
		}
		for _, m := range s.Migrations {
			if m.Name == name && m.State == state && strings.Contains(strings.Join(m.Waits, ""), detail) {
				return nil
			}
		}
		t.Errorf("the status is %+v", s.Migrations)
		return nil
	})
	if err != nil {
		t.Error(err)
	}
}

// TestKeepWithDefault renames a column whose default must not count as a value that was written.
func TestKeepWithDefault(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		ctx, dsn := t.Context(), fresh()
		p := history(t,
			definitions{"note": "fields:\n  - {name: title, type: text, max: 100, default: x}\n  - {name: n, type: number}\n"},
			definitions{"note": "fields:\n  - {name: headline, was: title, keep: true, type: text, max: 100, default: x}\n  - {name: n, type: number}\n"})
		old, err := p[0].open(ctx, dsn, store.Options{})
		if err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title, n) VALUES ('a', 1)")
		if r, err := p[1].up(ctx, dsn); err != nil || len(r.Waits) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		run(t, dsn, "INSERT INTO note (title, n) VALUES ('b', 2)", "INSERT INTO note (headline, n) VALUES ('c', 3)", "INSERT INTO note (n) VALUES (4)")
		want := []string{"a", "b", "c", "x"}
		for _, column := range []string{"title", "headline"} {
			if got := rows(t, dsn, "SELECT "+column+" FROM note ORDER BY n"); !slices.Equal(got, want) {
				t.Errorf("%s: %q", column, got)
			}
		}
		if err := old.Close(); err != nil {
			t.Fatal(err)
		}
		if r, err := p[1].up(ctx, dsn); err != nil || len(r.Applied) != 1 {
			t.Fatalf("%+v, %v", r, err)
		}
		run(t, dsn, "INSERT INTO note (n) VALUES (5)")
		if got := rows(t, dsn, "SELECT headline FROM note ORDER BY n"); !slices.Equal(got, append(want, "x")) {
			t.Errorf("the rows are %q", got)
		}
	})
}
