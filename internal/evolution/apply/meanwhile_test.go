package apply_test

import (
	"context"
	"fmt"
	"slices"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestRowsOfBeforeMeanwhile has a program of before write rows that do not fit at each point of a migration that says
// what becomes of them: it ends, and every row is there.
func TestRowsOfBeforeMeanwhile(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		p := history(t,
			definitions{"note": "fields:\n  - {name: state, type: select, options: [draft, published], required: true}\n  - {name: title, type: text, max: 20}\n  - {name: n, type: number}\n"},
			definitions{"note": "fields:\n  - {name: state, type: select, options: [draft, {value: live, was: published}], required: true}\n" +
				"  - {name: title, type: text, max: 10, required: true, existing: {value: none}}\n  - {name: n, type: number}\n" +
				"  - {name: slug, type: text, max: 10, required: true, existing: {value: s}}\n"})
		if _, err := p[0].up(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (state, n) VALUES ('published', 0)")
		written := 1
		write := func(state, title string) {
			err := with(context.Background(), dsn, func(db *core.DB) error {
				_, err := db.Conn().Exec(context.Background(), fmt.Sprintf("INSERT INTO note (state, title, n) VALUES (%s, %s, 1)", state, title), nil)
				return err
			})
			if err == nil {
				written++
			}
		}
		times := 0
		hookedUp(t, p[1], dsn, func(string) {
			if times++; times%8 >= 4 {
				return // MySQL needs a moment between its UPDATE and what refuses rows
			}
			write("'published'", "NULL")
			write("'published'", "'a'")
			write("'draft'", "NULL")
			write("'draft'", "'longer than ten'")
			write("'live'", "'a'")
		})
		if got := rows(t, dsn, "SELECT state FROM note"); len(got) != written || slices.Contains(got, "published") {
			t.Errorf("of %d rows there are %q", written, got)
		}
		if written == 1 {
			t.Error("nothing was written meanwhile")
		}
	})
}
