package mysql

import (
	"context"
	"slices"
	"strings"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// Inspect describes those of the tables that exist.
func (b *backend) Inspect(ctx context.Context, s core.Session, tables []string) (found []core.TableDef, err error) {
	var table, name, kind, nullable string
	in, args := list(tables)
	err = s.Query(ctx, `
		SELECT TABLE_NAME, COLUMN_NAME, COLUMN_TYPE, IS_NULLABLE
		FROM information_schema.COLUMNS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN `+in+`
		ORDER BY TABLE_NAME, ORDINAL_POSITION`,
		args, []any{&table, &name, &kind, &nullable}, func() error {
			if n := len(found); n == 0 || found[n-1].Name != table {
				found = append(found, core.TableDef{Name: table})
			}
			t := &found[len(found)-1]
			c := core.Column{Name: name, Null: nullable == "YES"}
			c.Types[sqltext.MySQL] = kind
			t.Columns = append(t.Columns, c)
			return nil
		})
	if err != nil {
		return nil, err
	}
	if err := inspectChecks(ctx, s, tables, found); err != nil {
		return nil, err
	}
	if err := inspectCollations(ctx, s, tables, found); err != nil {
		return nil, err
	}
	return found, inspectIndexes(ctx, s, tables, found)
}

// inspectChecks keeps the text that makes each table. The information schema
// has the checks as well, but MariaDB and MySQL differ in where and how.
func inspectChecks(ctx context.Context, s core.Session, tables []string, found []core.TableDef) error {
	var name string
	var base []string
	in, args := list(tables)
	err := s.Query(ctx, `
		SELECT TABLE_NAME FROM information_schema.TABLES
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_TYPE = 'BASE TABLE' AND TABLE_NAME IN `+in,
		args, []any{&name}, func() error {
			base = append(base, name)
			return nil
		})
	if err != nil {
		return err
	}
	for i := range found {
		if !slices.Contains(base, found[i].Name) {
			continue
		}
		var text string
		if err := s.QueryRow(ctx, "SHOW CREATE TABLE "+sqltext.MySQL.Quote(found[i].Name), nil, []any{&name, &text}); err != nil {
			return err
		}
		found[i].Checks = []string{text}
	}
	return nil
}

func inspectIndexes(ctx context.Context, s core.Session, tables []string, found []core.TableDef) error {
	var table, index, column, order string
	var plain int64
	in, args := list(tables)
	return s.Query(ctx, `
		SELECT TABLE_NAME, INDEX_NAME, NON_UNIQUE, COALESCE(COLUMN_NAME, ''), COALESCE(COLLATION, 'A')
		FROM information_schema.STATISTICS
		WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN `+in+` AND INDEX_NAME <> 'PRIMARY'
		ORDER BY TABLE_NAME, INDEX_NAME, SEQ_IN_INDEX`,
		args, []any{&table, &index, &plain, &column, &order}, func() error {
			at := slices.IndexFunc(found, func(t core.TableDef) bool { return t.Name == table })
			if at < 0 {
				return nil
			}
			t := &found[at]
			if n := len(t.Indexes); n == 0 || t.Indexes[n-1].Name != index {
				t.Indexes = append(t.Indexes, core.Index{Name: index, Unique: plain == 0})
			}
			x := &t.Indexes[len(t.Indexes)-1]
			x.Columns = append(x.Columns, slices.IndexFunc(t.Columns, func(c core.Column) bool { return c.Name == column }))
			x.Desc = append(x.Desc, order == "D")
			return nil
		})
}

func list(names []string) (marks string, args []any) {
	for _, n := range names {
		args = append(args, n)
	}
	return "(" + strings.TrimSuffix(strings.Repeat("?, ", len(names)), ", ") + ")", args
}
