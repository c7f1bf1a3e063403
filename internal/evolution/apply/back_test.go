package apply_test

import (
	"errors"
	"strings"
	"testing"

	evolution "github.com/hegner123/modulagen/gen/migrate"
)

// TestBackFromOptions takes renamed options back, but not one that became another one: all rows of both would get
// the old name.
func TestBackFromOptions(t *testing.T) {
	const before = "fields:\n  - {name: state, type: select, options: [draft, published, live]}\n"
	for _, c := range []struct{ name, after, want string }{
		{"renamed", "[draft, {value: open, was: published}, live]", ""},
		{"swapped", "[draft, {value: live, was: published}, {value: published, was: live}]", ""},
		{"joined", "[draft, {value: live, was: published}]", "note.state: rows that were published and rows that were live are live alike"},
	} {
		t.Run(c.name, func(t *testing.T) {
			chain := chainOf(t, definitions{"note": before}, definitions{"note": "fields:\n  - {name: state, type: select, options: " + c.after + "}\n"})
			_, err := evolution.Back(chain.Migrations[1], chain.Migrations[0].Snapshot, "migrations")
			switch {
			case c.want == "" && err != nil:
				t.Error(err)
			case c.want != "" && (!errors.Is(err, evolution.ErrOneWay) || !strings.Contains(err.Error(), c.want)):
				t.Errorf("the error is %v", err)
			}
		})
	}
}
