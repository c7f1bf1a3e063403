package apply_test

import (
	"errors"
	"testing"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// TestUniqueAllAlong has a second row with the same value written at each point of a change of a unique field.
func TestUniqueAllAlong(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		dsn := fresh()
		p := history(t,
			definitions{"note": "fields:\n  - {name: title, type: text, max: 20, unique: true}\n"},
			definitions{"note": "fields:\n  - {name: title, type: text, max: 20, unique: true, required: true}\n"},
			definitions{"note": "fields:\n  - {name: title, type: text, max: 20, unique: true}\n"})
		if _, err := p[0].up(t.Context(), dsn); err != nil {
			t.Fatal(err)
		}
		run(t, dsn, "INSERT INTO note (title) VALUES ('a')")
		times := 0
		hookedUp(t, p[2], dsn, func() {
			times++
			err := with(t.Context(), dsn, func(db *core.DB) error {
				_, err := db.Conn().Exec(t.Context(), "INSERT INTO note (title) VALUES ('a')", nil)
				return err
			})
			if !errors.Is(err, store.ErrConflict) {
				t.Errorf("after statement %d: %v", times, err)
			}
		})
		if times == 0 {
			t.Error("nothing was tried")
		}
	})
}

// TestSuspendedProgramLosesNothing has a program of before, which was suspended for longer than its lease, write at
// each point of the migration that removes the column of the old name: what was written is there, or was refused.
// MySQL, which has no transaction for it, is for a moment between its triggers and the column.
func TestSuspendedProgramLosesNothing(t *testing.T) {
	inTransactions(t, func(t *testing.T, fresh func() string) {
		field := ", type: text, max: 100, unique: true}\n"
		p := history(t, definitions{"note": "fields:\n  - {name: title" + field}, definitions{"note": "fields:\n  - {name: headline, was: title, keep: true" + field})
		dsn := fresh()
		prepared(t, p, dsn)
		written := int64(0)
		hookedUp(t, p[1], dsn, func() {
			err := with(t.Context(), dsn, func(db *core.DB) error {
				_, err := db.Conn().Exec(t.Context(), "INSERT INTO note (title) VALUES ('a"+string(rune('a'+written))+"')", nil)
				return err
			})
			if err == nil {
				written++
			}
		})
		if got := rows(t, dsn, "SELECT headline FROM note WHERE headline IS NOT NULL"); written == 0 || len(got) != int(written) {
			t.Errorf("of %d rows there are %q", written, got)
		}
	})
}
