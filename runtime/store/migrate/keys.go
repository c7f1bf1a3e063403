package migrate

import (
	"context"
	"fmt"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// listedKeys is how many references to rows that do not exist an error names.
const listedKeys = 5

// checksKeys reports whether units run on SQLite with foreign keys off, and not every one is safe.
func (g *guard) checksKeys(from, to int) bool {
	return g.run.d == sqltext.SQLite && g.run.risky(from, to)
}

// keysBefore refuses a database whose foreign keys are violated already, as after writes with foreign keys off:
// no one has decided what a step does with such rows, and keysAfter could not tell them from its own.
func (g *guard) keysBefore(ctx context.Context, from, to int) error {
	if !g.checksKeys(from, to) {
		return nil
	}
	n, list, err := g.dangling(ctx)
	if err != nil || n == 0 {
		return err
	}
	return fmt.Errorf("foreign keys did not hold before the migration, %d in all: %s; nothing was changed; \"PRAGMA foreign_key_check\" lists the rows: "+
		"delete them, set their columns to NULL, or add the rows to which they refer, and migrate again", n, list)
}

// keysAfter checks the foreign keys, which were not enforced while the units ran.
func (g *guard) keysAfter(ctx context.Context, from, to int) error {
	if !g.checksKeys(from, to) {
		return nil
	}
	n, list, err := g.dangling(ctx)
	if err != nil || n == 0 {
		return err
	}
	return fmt.Errorf("foreign keys do not hold after the migration, %d in all: %s; nothing was changed", n, list)
}

// dangling returns how many references there are to rows that do not exist, and the first of them.
func (g *guard) dangling(ctx context.Context) (n int, list string, err error) {
	var table, parent string
	var column store.Null[string]
	var id store.Null[int64]
	var first []string
	err = g.s.Query(ctx, `SELECT v."table", v.rowid, v.parent, (SELECT k."from" FROM pragma_foreign_key_list(v."table") AS k WHERE k.id = v.fkid AND k.seq = 0)
		FROM pragma_foreign_key_check AS v`, nil, []any{&table, &id, &parent, &column}, func() error {
		if n++; n <= listedKeys {
			row := "a row" // a table WITHOUT ROWID shows no more
			if id.Valid {
				row = fmt.Sprintf("the row %d", id.V)
			}
			first = append(first, fmt.Sprintf("%s of %s refers by %s to a row of %s that does not exist", row, table, column.V, parent))
		}
		return nil
	})
	if n > listedKeys {
		first = append(first, fmt.Sprintf("and %d more", n-listedKeys))
	}
	return n, strings.Join(first, ", "), err
}
