package apply_test

import (
	"fmt"
	"slices"
	"testing"

	"github.com/hegner123/modulagen/runtime/store/core"
	"github.com/hegner123/modulagen/runtime/store/migrate"
)

// TestConnectionEndsWhileTriggersAreMade ends the connection of a migration after each of its statements: the next
// one goes on, also after a trigger that was made and not recorded.
func TestConnectionEndsWhileTriggersAreMade(t *testing.T) {
	onServer(t, "mysql", func(t *testing.T, fresh func() string) {
		field := ", type: text, max: 20}\n"
		p := history(t, definitions{"note": "fields:\n  - {name: title" + field}, definitions{"note": "fields:\n  - {name: headline, was: title, keep: true" + field})
		for at := 1; ; at++ {
			dsn := fresh()
			if _, err := p[0].up(t.Context(), dsn); err != nil {
				t.Fatal(err)
			}
			run(t, dsn, "INSERT INTO note (title) VALUES ('a')")
			times := 0
			err := with(t.Context(), dsn, func(db *core.DB) error {
				b, _ := core.Below(db)
				_, err := p[1].set.Up(t.Context(), &hooked{b, func(string) {
					if times++; times == at {
						endOthers(t, dsn)
					}
				}}, p[1].schema, migrate.Options{})
				return err
			})
			if times < at {
				break
			}
			if _, again := p[1].up(t.Context(), dsn); again != nil {
				t.Errorf("after statement %d, where it ended with %v: %v", at, err, again)
			}
			if got := rows(t, dsn, "SELECT headline FROM note"); !slices.Equal(got, []string{"a"}) {
				t.Errorf("after statement %d: %q", at, got)
			}
		}
	})
}

// endOthers ends all other connections to a database of MySQL.
func endOthers(t *testing.T, dsn string) {
	t.Helper()
	err := with(t.Context(), dsn, func(db *core.DB) error {
		var ids []int64
		var id int64
		err := db.Conn().Query(t.Context(), "SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()", nil, []any{&id},
			func() error { ids = append(ids, id); return nil })
		for _, id := range ids {
			if _, failed := db.Conn().Exec(t.Context(), fmt.Sprintf("KILL %d", id), nil); failed != nil {
				t.Logf("a connection has ended by itself: %v", failed)
			}
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}
