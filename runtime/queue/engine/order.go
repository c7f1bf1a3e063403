package engine

import (
	"cmp"
	"slices"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// sorted sorts claimed rows into the order of claims. No database returns the rows
// that a statement changed in order.
func (s *shape) sorted(rows []any) []any {
	if len(rows) < 2 {
		return rows
	}
	type keyed struct {
		row any
		key []any
	}
	all := make([]keyed, len(rows))
	for i, row := range rows {
		fields := s.fields(row)
		key := make([]any, len(s.order))
		for j, o := range s.order {
			key[j], _ = core.Plain(fields[o.Column]) // no error: what was read from a column can be bound
		}
		all[i] = keyed{row, key}
	}
	slices.SortStableFunc(all, func(a, b keyed) int {
		for i, o := range s.order {
			c := compare(a.key[i], b.key[i])
			if o.Desc {
				c = -c
			}
			if c != 0 {
				return c
			}
		}
		return 0
	})
	for i, k := range all {
		rows[i] = k.row
	}
	return rows
}

// compare compares values as the databases do; null comes first.
func compare(a, b any) int {
	if a == nil || b == nil {
		return cmp.Compare(rankNull(a), rankNull(b))
	}
	switch a := a.(type) {
	case int64:
		return cmp.Compare(a, b.(int64))
	case string:
		return cmp.Compare(a, b.(string))
	case time.Time:
		return a.Compare(b.(time.Time))
	case bool:
		return cmp.Compare(rankBool(a), rankBool(b.(bool)))
	case store.Date:
		return a.Compare(b.(store.Date))
	case core.Number:
		return cmp.Compare(a.Unscaled, b.(core.Number).Unscaled)
	}
	return 0
}

func rankNull(v any) int {
	if v == nil {
		return 0
	}
	return 1
}

func rankBool(v bool) int {
	if v {
		return 1
	}
	return 0
}
