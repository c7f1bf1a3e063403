package postgres

import (
	"context"
	"slices"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Inspect describes those of the tables that exist and are seen without naming
// their schema.
func (b *backend) Inspect(ctx context.Context, s core.Session, tables []string) (found []core.TableDef, err error) {
	var table, name, kind string
	var notNull bool
	err = s.Query(ctx, `
		SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull
		FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid
		WHERE c.relname = ANY ($1) AND c.relkind IN ('r', 'p') AND pg_table_is_visible(c.oid)
		  AND a.attnum > 0 AND NOT a.attisdropped
		ORDER BY c.relname, a.attnum`,
		[]any{tables}, []any{&table, &name, &kind, &notNull}, func() error {
			if n := len(found); n == 0 || found[n-1].Name != table {
				found = append(found, core.TableDef{Name: table})
			}
			t := &found[len(found)-1]
			c := core.Column{Name: name, Null: !notNull}
			c.Types[sqltext.Postgres] = kind
			t.Columns = append(t.Columns, c)
			return nil
		})
	if err != nil {
		return nil, err
	}
	if err := inspectChecks(ctx, s, tables, found); err != nil {
		return nil, err
	}
	return found, inspectIndexes(ctx, s, tables, found)
}

func inspectChecks(ctx context.Context, s core.Session, tables []string, found []core.TableDef) error {
	for i := range found {
		found[i].Checks = []string{}
	}
	var table, text string
	return s.Query(ctx, `
		SELECT c.relname, COALESCE('ALTER TABLE ' || quote_ident(c.relname) || ' ADD CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid), '')
		FROM pg_constraint AS k JOIN pg_class AS c ON c.oid = k.conrelid
		WHERE k.contype IN ('c', 'f') AND c.relname = ANY ($1) AND pg_table_is_visible(c.oid)`,
		[]any{tables}, []any{&table, &text}, func() error {
			at := slices.IndexFunc(found, func(t core.TableDef) bool { return t.Name == table })
			if at >= 0 && text != "" { // it is empty for one that is dropped meanwhile
				found[at].Checks = append(found[at].Checks, text)
			}
			return nil
		})
}

func inspectIndexes(ctx context.Context, s core.Session, tables []string, found []core.TableDef) error {
	var table, index, column string
	var unique, partial, desc bool
	return s.Query(ctx, `
		SELECT c.relname, i.relname, x.indisunique, x.indpred IS NOT NULL, coalesce(a.attname, ''), x.indoption[k] & 1 = 1
		FROM pg_index AS x
		JOIN pg_class AS c ON c.oid = x.indrelid
		JOIN pg_class AS i ON i.oid = x.indexrelid
		CROSS JOIN LATERAL generate_series(0, x.indnkeyatts - 1) AS k
		LEFT JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = x.indkey[k]
		WHERE c.relname = ANY ($1) AND pg_table_is_visible(c.oid) AND NOT x.indisprimary
		ORDER BY c.relname, i.relname, k`,
		[]any{tables}, []any{&table, &index, &unique, &partial, &column, &desc}, func() error {
			at := slices.IndexFunc(found, func(t core.TableDef) bool { return t.Name == table })
			if at < 0 {
				return nil
			}
			t := &found[at]
			if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != index {
				t.Indexes = append(t.Indexes, core.Index{Name: index, Unique: unique, Partial: partial})
			}
			x := &t.Indexes[len(t.Indexes)-1]
			x.Columns = append(x.Columns, slices.IndexFunc(t.Columns, func(c core.Column) bool { return c.Name == column }))
			x.Desc = append(x.Desc, desc)
			return nil
		})
}
