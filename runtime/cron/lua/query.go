package lua

import (
	"errors"
	"fmt"
	"strings"

	vm "github.com/yuin/gopher-lua"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

var queryKeys = []string{"where", "sort", "limit", "after"}

// comparisons are the operators of a condition on a field.
var comparisons = []string{"eq", "ne", "lt", "lte", "gt", "gte", "in", "null", "prefix", "contains"}

// cond is a condition on a datatype that is known by its Spec alone.
type cond = store.Cond[any]

// query reads {where = {...}, sort = "-id", limit = 100, after = cursor}.
func (d *datatype) query(L *vm.LState) (q store.Query[any], err error) {
	t, ok := L.Get(1).(*vm.LTable)
	if !ok {
		if L.Get(1) == vm.LNil {
			return q, nil
		}
		return q, fmt.Errorf("its argument is a %s, and must be a table", L.Get(1).Type())
	}
	fail := func(e error) {
		if err == nil {
			err = e
		}
	}
	t.ForEach(func(k, v vm.LValue) {
		name, _ := k.(vm.LString)
		var e error
		switch name {
		case "where":
			q.Where, e = d.where(v)
		case "sort":
			q.Sort, e = d.sort(v)
		case "limit":
			n, ok := v.(vm.LNumber)
			if q.Limit = clamp(n); !ok || q.Limit < 1 || q.Limit > store.MaxLimit {
				e = fmt.Errorf("limit is %s, and must be a number from 1 to %d", described(v), store.MaxLimit)
			}
		case "after":
			s, ok := v.(vm.LString)
			if q.After = store.Cursor(s); !ok {
				e = errors.New("after must be what the list before returned as its second value")
			}
		default:
			e = fmt.Errorf("%q is not known%s", printable(string(name)), meant(string(name), queryKeys))
		}
		fail(e)
	})
	return q, err
}

func (d *datatype) where(v vm.LValue) (cond, error) {
	t, ok := v.(*vm.LTable)
	if !ok {
		return cond{}, fmt.Errorf("where is a %s, and must be a table of fields", v.Type())
	}
	var all []cond
	var err error
	t.ForEach(func(k, v vm.LValue) {
		if err != nil {
			return
		}
		name, _ := k.(vm.LString)
		var column int
		if column, err = columnOf(d.Rows, string(name)); err == nil {
			var c []cond
			c, err = d.condition(column, v)
			all = append(all, c...)
		}
	})
	return store.And(all...), err
}

// condition is what is said of one field: a value, a list of values, or a table of comparisons.
func (d *datatype) condition(column int, v vm.LValue) ([]cond, error) {
	t, ok := v.(*vm.LTable)
	switch {
	case v == vm.LValue(d.m.null):
		return []cond{core.FieldOf[any, any](column).IsNull()}, nil
	case !ok:
		c, err := d.compare(column, "eq", v)
		return []cond{c}, err
	case t.Len() > 0 || t.Metatable == vm.LValue(d.m.array):
		c, err := d.compare(column, "in", v)
		return []cond{c}, err
	}
	var all []cond
	var err error
	t.ForEach(func(k, v vm.LValue) {
		if err != nil {
			return
		}
		op, _ := k.(vm.LString)
		var c cond
		c, err = d.compare(column, string(op), v)
		all = append(all, c)
	})
	return all, err
}

func (d *datatype) compare(column int, op string, v vm.LValue) (cond, error) {
	f := core.FieldOf[any, any](column)
	c := &d.Rows.Columns[column]
	switch op {
	case "null":
		if v == vm.LTrue {
			return f.IsNull(), nil
		}
		return f.NotNull(), nil
	case "in":
		values, err := d.values(c, v)
		return f.In(values...), err
	case "prefix", "contains":
		s, ok := v.(vm.LString)
		if !ok || c.Rules.Kind != check.Text {
			return cond{}, fmt.Errorf("%s: %s takes a string, and a field of text", c.Name, op)
		}
		text := core.TextOf[any, string](column)
		if op == "prefix" {
			return text.Prefix(string(s)), nil
		}
		return text.Contains(string(s)), nil
	}
	fn, ok := map[string]func(any) cond{"eq": f.Eq, "ne": f.Ne, "lt": f.Lt, "lte": f.Lte, "gt": f.Gt, "gte": f.Gte}[op]
	if !ok {
		return cond{}, fmt.Errorf("%s: the comparison %q is not known%s", c.Name, printable(op), meant(op, comparisons))
	}
	value, err := d.m.value(c, v)
	if err != nil {
		return cond{}, err
	}
	return fn(value), nil
}

func (d *datatype) values(c *core.Column, v vm.LValue) ([]any, error) {
	t, ok := v.(*vm.LTable)
	if !ok {
		return nil, fmt.Errorf("%s: in takes a list", c.Name)
	}
	if t.Len() > store.MaxIn {
		return nil, fmt.Errorf("%s: a list of %d values; at most %d", c.Name, t.Len(), store.MaxIn)
	}
	d.m.charge(64 * t.Len())
	out := make([]any, t.Len())
	for i := range out {
		var err error
		if out[i], err = d.m.value(c, t.RawGetInt(i+1)); err != nil {
			return nil, err
		}
	}
	return out, nil
}

// sort reads a field, with - before it for the greatest first, or a list of them.
func (d *datatype) sort(v vm.LValue) ([]store.Order[any], error) {
	names := []vm.LValue{v}
	if t, ok := v.(*vm.LTable); ok {
		names = nil
		for i := 1; i <= min(t.Len(), core.MaxColumns); i++ {
			names = append(names, t.RawGetInt(i))
		}
	}
	var out []store.Order[any]
	for _, n := range names {
		s, ok := n.(vm.LString)
		if !ok {
			return nil, fmt.Errorf("sort is a %s, and must be a field such as \"id\" or \"-id\", or a list of them", n.Type())
		}
		name, desc := strings.CutPrefix(string(s), "-")
		column, err := columnOf(d.Rows, name)
		if err != nil {
			return nil, err
		}
		if f := core.FieldOf[any, any](column); desc {
			out = append(out, f.Desc())
		} else {
			out = append(out, f.Asc())
		}
	}
	return out, nil
}
