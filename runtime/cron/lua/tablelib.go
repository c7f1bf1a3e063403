package lua

import (
	"sort"
	"strings"

	vm "github.com/yuin/gopher-lua"
)

// tableFunctions are those of the table table.
func (m *machine) tableFunctions() map[string]vm.LGFunction {
	return map[string]vm.LGFunction{
		"insert": m.tableInsert, "remove": m.tableRemove, "concat": m.tableConcat, "sort": m.tableSort,
		"getn": tableLen, "maxn": tableMax, "unpack": unpack,
	}
}

func tableLen(L *vm.LState) int {
	L.Push(vm.LNumber(L.CheckTable(1).Len()))
	return 1
}

func tableMax(L *vm.LState) int {
	L.Push(vm.LNumber(L.CheckTable(1).MaxN()))
	return 1
}

func (m *machine) tableInsert(L *vm.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	if L.GetTop() == 2 {
		m.rawset(L, t, vm.LNumber(n+1), L.Get(2))
		return 0
	}
	at, value := clamp(L.CheckNumber(2)), L.CheckAny(3)
	if at < 1 || at > n+1 {
		L.ArgError(2, "position out of bounds")
	}
	m.work((n - at) >> 4)
	for i := n; i >= at; i-- {
		m.rawset(L, t, vm.LNumber(i+1), t.RawGetInt(i))
	}
	m.rawset(L, t, vm.LNumber(at), value)
	return 0
}

func (m *machine) tableRemove(L *vm.LState) int {
	t := L.CheckTable(1)
	n := t.Len()
	if n == 0 {
		return 0
	}
	at := clamp(L.OptNumber(2, vm.LNumber(n)))
	if at < 1 || at > n {
		return 0
	}
	m.work((n - at) >> 4)
	L.Push(t.RawGetInt(at))
	for i := at; i < n; i++ {
		t.RawSetInt(i, t.RawGetInt(i+1))
	}
	t.RawSetInt(n, vm.LNil)
	return 1
}

func (m *machine) tableConcat(L *vm.LState) int {
	t, separator := L.CheckTable(1), L.OptString(2, "")
	from, to := clamp(L.OptNumber(3, 1)), clamp(L.OptNumber(4, vm.LNumber(t.Len())))
	var out strings.Builder
	for i := from; i <= to; i++ {
		text, ok := joinable(t.RawGet(vm.LNumber(i)))
		if !ok {
			L.RaiseError("invalid value (%s) at index %d in table for 'concat'", t.RawGet(vm.LNumber(i)).Type(), i)
		}
		if i > from {
			text = separator + text
		}
		if out.Len()+len(text) > maxString {
			m.text(out.Len() + len(text))
		}
		m.charge(2 * len(text))
		m.work(1)
		out.WriteString(text)
	}
	return m.push(L, out.String())
}

// sorter sorts values. An order that contradicts itself leads to some order.
type sorter struct {
	m      *machine
	L      *vm.LState
	less   *vm.LFunction
	values []vm.LValue
}

func (s *sorter) Len() int      { return len(s.values) }
func (s *sorter) Swap(i, j int) { s.values[i], s.values[j] = s.values[j], s.values[i] }

func (s *sorter) Less(i, j int) bool {
	s.m.work(1)
	if s.less == nil {
		return s.L.LessThan(s.values[i], s.values[j])
	}
	s.L.Push(s.less)
	s.L.Push(s.values[i])
	s.L.Push(s.values[j])
	s.L.Call(2, 1)
	less := vm.LVAsBool(s.L.Get(-1))
	s.L.Pop(1)
	return less
}

func (m *machine) tableSort(L *vm.LState) int {
	t := L.CheckTable(1)
	s := &sorter{m: m, L: L, less: L.OptFunction(2, nil)}
	n := t.Len()
	m.charge(16 * n)
	s.values = make([]vm.LValue, n)
	for i := range n {
		s.values[i] = t.RawGetInt(i + 1)
		if s.values[i] == vm.LNil {
			L.RaiseError("cannot sort a list with nil at index %d", i+1)
		}
	}
	sort.Sort(s)
	for i, v := range s.values {
		m.rawset(L, t, vm.LNumber(i+1), v)
	}
	return 0
}
