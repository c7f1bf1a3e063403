package migrate

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// guard runs the units of a transaction, and makes sure that rows, ids and what people added survive when
// a table of SQLite is made anew.
type guard struct {
	run      *run
	s        core.Session
	rows     int64    // of the table, before it is made anew
	mark     int64    // the largest id that the table ever had; 0: not known
	triggers []string // of the table, which are dropped with the old one
	others   others   // what people may have added to it
}

// unit runs one unit.
func (g *guard) unit(ctx context.Context, u *unit) error {
	if u.first {
		g.run.start(ctx, u)
		if err := g.run.refuse(ctx, g.s, u.step); err != nil {
			return err
		}
		if err := g.before(ctx, u.step); err != nil {
			return err
		}
	}
	if u.st != nil {
		if err := g.run.exec(ctx, g.s, u.st.SQL); err != nil {
			return err
		}
	}
	if u.lastStatement() {
		if err := g.after(ctx, u.step); err != nil {
			return err
		}
	}
	if u.last {
		g.run.stop(ctx, u)
	}
	return nil
}

func (g *guard) rebuilds(step *script.Step) bool {
	return g.run.d == sqltext.SQLite && step.Rebuilt != ""
}

// before notes what the table has before it is made anew.
func (g *guard) before(ctx context.Context, step *script.Step) error {
	if !g.rebuilds(step) {
		return nil
	}
	var err error
	if g.rows, err = g.count(ctx, step.Rebuilt); err != nil {
		return err
	}
	if g.mark, err = g.sequence(ctx, step.Rebuilt); err != nil {
		return err
	}
	if err := g.noteOthers(ctx, step.Rebuilt); err != nil {
		return err
	}
	var text string
	g.triggers = nil
	return g.s.Query(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ? AND sql IS NOT NULL",
		[]any{step.Rebuilt}, []any{&text}, func() error {
			g.triggers = append(g.triggers, text)
			return nil
		})
}

// after checks that no row is lost, and restores what belonged to the old table.
func (g *guard) after(ctx context.Context, step *script.Step) error {
	if !g.rebuilds(step) {
		return nil
	}
	rows, err := g.count(ctx, step.Rebuilt)
	if err != nil {
		return err
	}
	if rows != g.rows {
		return fmt.Errorf("%s had %d rows before it was made anew, and has %d after it; nothing was changed", step.Rebuilt, g.rows, rows)
	}
	g.run.changed = rows
	if err := g.restoreOthers(ctx, step); err != nil {
		return err
	}
	for _, text := range g.triggers {
		if _, err := g.s.Exec(ctx, text, nil); err != nil {
			return fmt.Errorf("a trigger of %s: %w", step.Rebuilt, err)
		}
	}
	if g.mark == 0 {
		return nil
	}
	return g.setSequence(ctx, step.Rebuilt)
}

func (g *guard) count(ctx context.Context, table string) (n int64, err error) {
	err = g.s.QueryRow(ctx, "SELECT count(*) FROM "+sqltext.SQLite.Quote(table), nil, []any{&n})
	return n, err
}

// sequence returns the largest id that AUTOINCREMENT has assigned in a table, so that the ids of deleted
// rows are not assigned again. The table sqlite_sequence exists once some table uses AUTOINCREMENT.
func (g *guard) sequence(ctx context.Context, table string) (mark int64, err error) {
	var there int64
	if err := g.s.QueryRow(ctx, "SELECT count(*) FROM sqlite_schema WHERE name = 'sqlite_sequence'", nil, []any{&there}); err != nil || there == 0 {
		return 0, err
	}
	err = g.s.QueryRow(ctx, "SELECT seq FROM sqlite_sequence WHERE name = ?", []any{table}, []any{&mark})
	if errors.Is(err, store.ErrNotFound) {
		return 0, nil
	}
	return mark, err
}

func (g *guard) setSequence(ctx context.Context, table string) error {
	var text string
	if err := g.s.QueryRow(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ?", []any{table}, []any{&text}); err != nil {
		return err
	}
	if !strings.Contains(strings.ToUpper(text), "AUTOINCREMENT") {
		return nil
	}
	res, err := g.s.Exec(ctx, "UPDATE sqlite_sequence SET seq = max(seq, ?) WHERE name = ?", []any{g.mark, table})
	if err == nil && res.RowsAffected == 0 {
		_, err = g.s.Exec(ctx, "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)", []any{table, g.mark})
	}
	return err
}

// risky reports whether a step of the units is more than safe.
func (r *run) risky(from, to int) bool {
	for _, u := range r.units[from:to] {
		if u.step.Class != script.Safe || u.step.Rebuilt != "" {
			return true
		}
	}
	return false
}
