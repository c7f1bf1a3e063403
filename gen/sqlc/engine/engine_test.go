package engine

import (
	"testing"

	"github.com/hegner123/modulagen/gen/sqlc/protocol"
	"github.com/hegner123/modulagen/runtime/store/check"
)

func TestRehearsalJudgesValues(t *testing.T) {
	for _, c := range []struct {
		column protocol.Column
		got    any
		fine   bool
	}{
		{protocol.Column{Kind: check.Int}, int64(1), true},
		{protocol.Column{Kind: check.Int}, 2.0, true},
		{protocol.Column{Kind: check.Int}, 2.5, false},
		{protocol.Column{Kind: check.Int}, nil, false},
		{protocol.Column{Kind: check.Int, Null: true}, nil, true},
		{protocol.Column{Kind: check.Decimal}, 1.67, false},
		{protocol.Column{Kind: check.Bool}, int64(1), true},
		{protocol.Column{Kind: check.Bool}, "x", false},
		{protocol.Column{Kind: check.Text}, []byte("x"), false},
		{protocol.Column{Kind: check.Time}, "2026-01-02 00:00:00", false},
		{protocol.Column{Kind: check.Time}, "2026-01-02T00:00:00.000000Z", true},
		{protocol.Column{Kind: check.Date}, "2026-01-02", true},
		{protocol.Column{Kind: check.Date}, int64(2026), false},
		{protocol.Column{Kind: check.JSON}, "{", false},
	} {
		if why := holds(c.column, c.got); (why == "") != c.fine {
			t.Errorf("%s of %v: %q", c.column.Kind, c.got, why)
		}
	}
}
