package migrate

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/migrate/script"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// others is what people may have added to a table of SQLite that is made anew.
type others struct {
	columns []string
	indexes []named
	views   []string // of the whole database, that work
	loose   bool     // the new table takes its name while views and triggers name it
}

// named is a part of a schema, and the statement that made it.
type named struct{ name, sql string }

// noteOthers notes what the table has, and which views work. legacy_alter_table keeps SQLite from checking every
// view and trigger when the new table takes the name, at which moment the old one is missing.
func (g *guard) noteOthers(ctx context.Context, table string) (err error) {
	g.others = others{}
	if g.others.columns, err = g.columns(ctx, table); err != nil {
		return err
	}
	if g.others.indexes, err = g.parts(ctx, "type = 'index' AND tbl_name = ? COLLATE NOCASE", table); err != nil {
		return err
	}
	views, err := g.parts(ctx, "type = 'view'")
	if err != nil {
		return err
	}
	for _, v := range views {
		if g.works(ctx, v.name) == nil {
			g.others.views = append(g.others.views, v.name)
		}
	}
	g.others.loose = true
	_, err = g.s.Exec(ctx, "PRAGMA legacy_alter_table = ON", nil)
	return err
}

// restoreOthers refuses a new table that lacks columns of the old one, and rebuilds the indexes that the
// migration has not built.
func (g *guard) restoreOthers(ctx context.Context, step *script.Step) error {
	if err := g.strict(ctx); err != nil {
		return err
	}
	columns, err := g.columns(ctx, step.Rebuilt)
	if err != nil {
		return err
	}
	lost := slices.DeleteFunc(slices.Clone(g.others.columns), func(c string) bool {
		return slices.Contains(columns, c) || slices.Contains(step.LeavesOut, c)
	})
	if len(lost) > 0 {
		return fmt.Errorf("%s has columns that the definitions do not know, and making it anew would lose their values: %s; nothing was changed; "+
			"add them to the definitions, or move their values and drop them first", step.Rebuilt, strings.Join(lost, ", "))
	}
	there, err := g.parts(ctx, "type = 'index' AND tbl_name = ? COLLATE NOCASE", step.Rebuilt)
	if err != nil {
		return err
	}
	for _, x := range g.others.indexes {
		if slices.ContainsFunc(there, func(o named) bool { return o.name == x.name }) {
			continue
		}
		if _, err := g.s.Exec(ctx, x.sql, nil); err != nil {
			return fmt.Errorf("the index %s, which is not of the definitions, cannot be built on %s as it is now: drop the index first: %w", x.name, step.Rebuilt, err)
		}
	}
	for _, v := range g.others.views {
		if err := g.works(ctx, v); err != nil {
			return fmt.Errorf("the view %s cannot be read from %s as it is now: drop the view first: %w", v, step.Rebuilt, err)
		}
	}
	return nil
}

// strict has SQLite check views and triggers again.
func (g *guard) strict(ctx context.Context) error {
	if !g.others.loose {
		return nil
	}
	g.others.loose = false
	_, err := g.s.Exec(ctx, "PRAGMA legacy_alter_table = OFF", nil)
	return err
}

// end is strict after an error, for a connection that remains in use. The transaction has ended: SQLite itself
// rolls it back after some errors, such as a full disk.
func (g *guard) end(ctx context.Context) {
	g.s = g.run.m
	if err := g.strict(context.WithoutCancel(ctx)); err != nil {
		g.run.o.Logger.WarnContext(ctx, "store: migration: the connection is left with legacy_alter_table", "error", err)
	}
}

func (g *guard) works(ctx context.Context, view string) error {
	var n int64
	return g.s.Query(ctx, "SELECT 1 FROM "+sqltext.SQLite.Quote(view)+" LIMIT 0", nil, []any{&n}, func() error { return nil })
}

func (g *guard) columns(ctx context.Context, table string) (out []string, err error) {
	var name string
	err = g.s.Query(ctx, "SELECT name FROM pragma_table_xinfo(?)", []any{table}, []any{&name}, func() error {
		out = append(out, name)
		return nil
	})
	return out, err
}

func (g *guard) parts(ctx context.Context, which string, args ...any) (out []named, err error) {
	var n named
	err = g.s.Query(ctx, "SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL AND "+which, args, []any{&n.name, &n.sql}, func() error {
		out = append(out, n)
		return nil
	})
	return out, err
}
