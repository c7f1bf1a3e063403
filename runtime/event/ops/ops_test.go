package ops_test

import (
	"fmt"
	"testing"

	"github.com/hegner123/modulagen/runtime/event/ops"
	"github.com/hegner123/modulagen/runtime/store/core"
)

type row struct {
	ID     int64
	Status string
}

func fields(r any, buf []any) []any { return append(buf, &r.(*row).ID, &r.(*row).Status) }

// in returns a row in a state, or none.
func in(status string) any {
	if status == "" {
		return nil
	}
	return &row{Status: status}
}

func TestOf(t *testing.T) {
	all := core.Created | core.Updated | core.Deleted
	for _, c := range []struct {
		on            core.Op
		published     string
		op            core.Op
		before, after string
		want          string
	}{
		{all, "", core.Created, "", "live", "[create]"},
		{all, "", core.Updated, "draft", "live", "[update]"},
		{all, "", core.Deleted, "live", "", "[delete]"},
		{core.Deleted, "", core.Updated, "draft", "live", "[]"},
		{core.Created, "", core.Created | core.Updated, "", "", "[create]"}, // an upsert, without its rows

		{all, "live", core.Created, "", "live", "[create publish]"},
		{all, "live", core.Created, "", "draft", "[create]"},
		{all, "live", core.Updated, "draft", "live", "[update publish]"},
		{all, "live", core.Updated, "live", "live", "[update]"},
		{all, "live", core.Updated, "live", "draft", "[update]"},
		{all, "live", core.Updated, "", "live", "[update]"}, // the queue's own, of a job that was published before
		{all, "live", core.Deleted, "live", "", "[delete]"},
		{0, "live", core.Created, "", "live", "[publish]"},
		{0, "live", core.Updated, "draft", "live", "[publish]"},
		{0, "live", core.Updated, "live", "live", "[]"},
	} {
		s := &ops.Spec{On: c.on}
		if c.published != "" {
			s.Status, s.Published, s.Fields = 1, c.published, fields
		}
		got := fmt.Sprint(s.Of(core.Change{Op: c.op, ID: int64(1), Before: in(c.before), After: in(c.after)}))
		if got != c.want {
			t.Errorf("%+v: %s", c, got)
		}
	}
}
