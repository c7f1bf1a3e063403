package apply_test

import (
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
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
		hookedUp(t, p[2], dsn, func(string) {
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
// While MySQL has the table locked, writes wait.
func TestSuspendedProgramLosesNothing(t *testing.T) {
	everywhere(t, func(t *testing.T, fresh func() string) {
		field := ", type: text, max: 100, unique: true}\n"
		p := history(t, definitions{"note": "fields:\n  - {name: title" + field}, definitions{"note": "fields:\n  - {name: headline, was: title, keep: true" + field})
		dsn := fresh()
		prepared(t, p, dsn)
		var written atomic.Int64
		var waiting sync.WaitGroup
		n, locked, locks := 0, false, 0
		hookedUp(t, p[1], dsn, func(sql string) {
			switch {
			case strings.HasPrefix(sql, "LOCK TABLES"):
				locked, locks = true, locks+1
			case strings.HasPrefix(sql, "UNLOCK TABLES"):
				locked = false
			}
			n++
			title := fmt.Sprintf("title %d", n)
			waiting.Go(func() {
				err := with(t.Context(), dsn, func(db *core.DB) error {
					_, err := db.Conn().Exec(t.Context(), "INSERT INTO note (title) VALUES ('"+title+"')", nil)
					return err
				})
				if err == nil {
					written.Add(1)
				}
			})
			if !locked {
				waiting.Wait()
			}
		})
		waiting.Wait()
		if got := rows(t, dsn, "SELECT headline FROM note WHERE headline IS NOT NULL"); written.Load() == 0 || len(got) != int(written.Load()) {
			t.Errorf("of %d rows there are %q", written.Load(), got)
		}
		if mysql := strings.HasPrefix(dsn, "mysql:"); mysql != (locks == 1) {
			t.Errorf("the table was locked %d times", locks)
		}
	})
}
