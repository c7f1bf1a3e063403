package sqlite

import (
	"context"
	"slices"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Inspect describes those of the tables that exist.
func (b *backend) Inspect(ctx context.Context, s core.Session, tables []string) (found []core.TableDef, err error) {
	for _, name := range tables {
		t := core.TableDef{Name: name}
		if err := inspectColumns(ctx, s, &t); err != nil {
			return nil, err
		}
		if len(t.Columns) == 0 {
			continue
		}
		if err := inspectIndexes(ctx, s, &t); err != nil {
			return nil, err
		}
		if err := inspectChecks(ctx, s, &t); err != nil {
			return nil, err
		}
		found = append(found, t)
	}
	return found, nil
}

func inspectColumns(ctx context.Context, s core.Session, t *core.TableDef) error {
	var name, kind string
	var notNull, key int64
	return s.Query(ctx, `SELECT name, type, "notnull", pk FROM pragma_table_xinfo(?) ORDER BY cid`,
		[]any{t.Name}, []any{&name, &kind, &notNull, &key}, func() error {
			c := core.Column{Name: name, Null: notNull == 0 && key == 0}
			c.Types[sqltext.SQLite] = kind
			t.Columns = append(t.Columns, c)
			return nil
		})
}

func inspectIndexes(ctx context.Context, s core.Session, t *core.TableDef) error {
	var index, column string
	var unique, partial, desc int64
	return s.Query(ctx, `
		SELECT l.name, l."unique", l.partial, coalesce(x.name, ''), x."desc"
		FROM pragma_index_list(?) AS l, pragma_index_xinfo(l.name) AS x
		WHERE l.origin <> 'pk' AND x.key = 1
		ORDER BY l.name, x.seqno`,
		[]any{t.Name}, []any{&index, &unique, &partial, &column, &desc}, func() error {
			if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != index {
				t.Indexes = append(t.Indexes, core.Index{Name: index, Unique: unique != 0, Partial: partial != 0})
			}
			x := &t.Indexes[len(t.Indexes)-1]
			x.Columns = append(x.Columns, slices.IndexFunc(t.Columns, func(c core.Column) bool { return c.Name == column }))
			x.Desc = append(x.Desc, desc != 0)
			return nil
		})
}

// inspectChecks keeps the text that made the table: SQLite has its checks
// nowhere else.
func inspectChecks(ctx context.Context, s core.Session, t *core.TableDef) error {
	var text string
	return s.Query(ctx, "SELECT sql FROM sqlite_schema WHERE type = 'table' AND name = ? AND sql IS NOT NULL",
		[]any{t.Name}, []any{&text}, func() error {
			t.Checks = append(t.Checks, text)
			return nil
		})
}
