package apply_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// hooked is a backend that calls a function after each statement and transaction of a migration, with the statement.
type hooked struct {
	core.Backend
	after func(sql string)
}

func (h *hooked) Migration(ctx context.Context) (core.Migration, error) {
	m, err := h.Backend.(core.Migrator).Migration(ctx)
	return &hookedMigration{m, h.after}, err
}

type hookedMigration struct {
	core.Migration
	after func(sql string)
}

func (m *hookedMigration) Exec(ctx context.Context, sql string, args []any) (core.Result, error) {
	res, err := m.Migration.Exec(ctx, sql, args)
	m.after(sql)
	return res, err
}

func (m *hookedMigration) Begin(ctx context.Context) (core.Transaction, error) {
	tx, err := m.Migration.Begin(ctx)
	return &hookedTx{tx, m.after}, err
}

type hookedTx struct {
	core.Transaction
	after func(sql string)
}

func (t *hookedTx) Commit(ctx context.Context) error {
	err := t.Transaction.Commit(ctx)
	t.after("COMMIT")
	return err
}

// TestProgramOfBeforeOpensMeanwhile opens a program of before at each point of a migration that waits for
// such programs: it is refused, or waited for.
func TestProgramOfBeforeOpensMeanwhile(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		field := ", type: text, max: 100}\n  - {name: n, type: number}\n"
		p := history(t, definitions{"note": "fields:\n  - {name: title" + field}, definitions{"note": "fields:\n  - {name: headline, was: title, keep: true" + field})
		opened, refused := 0, 0
		for at := 1; ; at++ {
			dsn := fresh()
			prepared(t, p, dsn)
			n, got, locked := 0, error(nil), false
			var old *core.DB
			var opening sync.WaitGroup
			r := hookedUp(t, p[1], dsn, func(sql string) {
				switch {
				case strings.HasPrefix(sql, "LOCK TABLES"):
					locked = true
				case strings.HasPrefix(sql, "UNLOCK TABLES"):
					locked = false
				}
				if n++; n == at {
					opening.Go(func() { old, got = p[0].open(t.Context(), dsn, store.Options{}) })
				}
				if !locked { // MySQL shows a table to others only when it is not
					opening.Wait()
				}
			})
			opening.Wait()
			applied := slices.Contains(r.Applied, "0003_change_contract")
			if n < at {
				break
			}
			if got != nil {
				refused++
				continue
			}
			opened++
			if applied {
				t.Errorf("the program of before opened the database after statement %d, and the migration was applied", at)
			}
			if err := old.Close(); err != nil {
				t.Error(err)
			}
			if r, err := p[1].up(t.Context(), dsn); err != nil || len(r.Applied) != 1 {
				t.Errorf("after it ended: %+v, %v", r, err)
			}
		}
		if opened == 0 || refused == 0 {
			t.Errorf("%d were opened, %d refused", opened, refused)
		}
	})
}

// prepared makes a database that has all but the last migration, and rows of statements that run after the first one.
func prepared(t *testing.T, p []program, dsn string, statements ...string) {
	t.Helper()
	if _, err := p[0].up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	db, err := p[0].open(t.Context(), dsn, store.Options{})
	if err != nil {
		t.Fatal(err)
	}
	run(t, dsn, statements...)
	if _, err := p[1].up(t.Context(), dsn); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
}

func hookedUp(t *testing.T, p program, dsn string, after func(sql string)) (r *migrate.Report) {
	t.Helper()
	err := with(t.Context(), dsn, func(db *core.DB) (err error) {
		b, _ := core.Below(db)
		r, err = p.set.Up(t.Context(), &hooked{b, after}, p.schema, migrate.Options{NoBackup: true})
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestContractMadeAnew removes the second migration of a rename in use, as after a merge of two branches.
func TestContractMadeAnew(t *testing.T) {
	field := ", type: text, max: 100}\n"
	all := []definitions{{"note": "fields:\n  - {name: title" + field}, {"note": "fields:\n  - {name: headline, was: title, keep: true" + field}}
	chain := chainOf(t, all...)
	chain.Migrations = chain.Migrations[:2]
	p, err := read(all[1])
	if err != nil {
		t.Fatal(err)
	}
	next, err := chain.Next("again", p)
	if err != nil || len(next) != 1 {
		t.Fatalf("%d migrations, %v", len(next), err)
	}
	for db := range next[0].SQL {
		s, err := next[0].Script("migrations", db)
		if err != nil || s.After != "0002_change" {
			t.Errorf("%s waits for programs from before %q: %v", db, s.After, err)
		}
	}
}
