package storetest

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// SetColumns writes columns of the rows with ids as a statement of a person's own does:
// also those that generated code keeps from being set.
func SetColumns[ID any](t testing.TB, db *core.DB, table string, columns map[string]any, ids ...ID) {
	t.Helper()
	err := db.Tx(t.Context(), func(c *core.Conn) error {
		var set []string
		var args []any
		for _, name := range slices.Sorted(maps.Keys(columns)) {
			args = append(args, columns[name])
			set = append(set, fmt.Sprintf("%s = %s", name, c.Dialect().Placeholder(len(args))))
		}
		text := fmt.Sprintf("UPDATE %s SET %s WHERE id = %s", table, strings.Join(set, ", "), c.Dialect().Placeholder(len(args)+1))
		for _, id := range ids {
			if res, err := c.Exec(t.Context(), text, append(args, fmt.Sprint(id))); err != nil || res.RowsAffected != 1 {
				return fmt.Errorf("%s: %d rows, %w", text, res.RowsAffected, err)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}
