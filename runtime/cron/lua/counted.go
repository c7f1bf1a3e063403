package lua

import (
	"math"
	"strings"

	vm "github.com/yuin/gopher-lua"
)

// What tables of the VM take, measured: a table, what its first field with a name allocates
// unless it was made for some, an element, and a field.
const (
	sizeTable   = 128
	sizeFirst   = 2800
	sizeArray   = 600
	sizeElement = 48
	sizeField   = 256
	sizeClosure = 128
	sizeUpvalue = 96
)

// hiddenFunctions are what rewritten files call, in the order of hidden.
func (m *machine) hiddenFunctions() []vm.LValue {
	byName := map[string]vm.LGFunction{
		hiddenConcat: m.concat, hiddenTable: m.made, hiddenRecord: m.record, hiddenFill: m.fill,
		hiddenClosure: m.closure, hiddenSet: m.set,
	}
	var out []vm.LValue
	for _, name := range hidden {
		out = append(out, m.L.NewFunction(byName[name]))
	}
	return out
}

// concat is a .. b .. c.
func (m *machine) concat(L *vm.LState) int {
	n := L.GetTop()
	parts, size := make([]string, n), 0
	for i := range parts {
		text, ok := joinable(L.Get(i + 1))
		if !ok {
			return m.concatMeta(L, n)
		}
		parts[i] = text
		size += len(text)
		if size > maxString {
			m.text(size)
		}
	}
	m.text(size)
	L.Push(vm.LString(strings.Join(parts, "")))
	return 1
}

// joinable is a string or a number as text.
func joinable(v vm.LValue) (string, bool) {
	switch v := v.(type) {
	case vm.LString:
		return string(v), true
	case vm.LNumber:
		return numberText(v), true
	}
	return "", false
}

// concatMeta joins from the right, as the operator does, where one value has __concat.
func (m *machine) concatMeta(L *vm.LState, n int) int {
	out := L.Get(n)
	for i := n - 1; i >= 1; i-- {
		left := L.Get(i)
		a, ok := joinable(left)
		b, ok2 := joinable(out)
		if ok && ok2 {
			m.text(len(a) + len(b))
			out = vm.LString(a + b)
			continue
		}
		meta := L.GetMetaField(left, "__concat")
		if meta == vm.LNil {
			meta = L.GetMetaField(out, "__concat")
		}
		if meta == vm.LNil {
			wrong := left
			if ok {
				wrong = out
			}
			L.RaiseError("attempt to concatenate a %s value", wrong.Type())
		}
		L.Push(meta)
		L.Push(left)
		L.Push(out)
		L.Call(2, 1)
		out = L.Get(-1)
		L.Pop(1)
	}
	L.Push(out)
	return 1
}

// made accounts for a constructor.
func (m *machine) made(L *vm.LState) int {
	m.charge(sizeTable + sizeElement*L.CheckInt(1))
	return 1 // the table, which is on top
}

// table makes a table for so many elements and fields.
func (m *machine) table(elements, fields int) *vm.LTable {
	m.charge(sizeTable + sizeElement*elements + sizeField*fields)
	return m.L.CreateTable(elements, fields)
}

// record sets fields of a constructor, and makes the table if it has no elements.
func (m *machine) record(L *vm.LState) int {
	t, ok := L.Get(1).(*vm.LTable)
	if !ok {
		t = m.table(0, L.CheckInt(2))
	}
	for i := 3; i < L.GetTop(); i += 2 {
		m.rawset(L, t, L.Get(i), L.Get(i+1))
	}
	L.Push(t)
	return 1
}

// fill appends the values of f() or ... at the end of a constructor.
func (m *machine) fill(L *vm.LState) int {
	t, ok := L.Get(1).(*vm.LTable)
	n, count := L.CheckInt(2), L.GetTop()-2
	if !ok {
		t = m.table(count, 0)
	}
	m.charge(sizeArray + 2*sizeElement*count)
	for i := range count {
		t.RawSetInt(n+i+1, L.Get(i+3))
	}
	L.Push(t)
	return 1
}

// closure accounts for a function.
func (m *machine) closure(L *vm.LState) int {
	if fn, ok := L.Get(1).(*vm.LFunction); ok {
		m.charge(sizeClosure + sizeUpvalue*len(fn.Upvalues))
	}
	return 1
}

// set is object[key] = value.
func (m *machine) set(L *vm.LState) int {
	object, key, value := L.Get(1), L.Get(2), L.Get(3)
	for range vm.MaxTableGetLoop {
		t, ok := object.(*vm.LTable)
		if ok && t.RawGet(key) != vm.LNil {
			m.rawset(L, t, key, value)
			return 0
		}
		meta := L.GetMetaField(object, "__newindex")
		switch {
		case meta == vm.LNil && !ok:
			L.RaiseError("attempt to index a %s value%s", object.Type(), keyed(key))
		case meta == vm.LNil:
			m.rawset(L, t, key, value)
			return 0
		case meta.Type() == vm.LTFunction:
			L.Push(meta)
			L.Push(object)
			L.Push(key)
			L.Push(value)
			L.Call(3, 0)
			return 0
		}
		object = meta
	}
	L.RaiseError("__newindex leads from one table to the next without end")
	return 0
}

// keyed is what a message says of a key.
func keyed(key vm.LValue) string {
	if s, ok := key.(vm.LString); ok && len(s) <= 40 {
		return " with key '" + string(s) + "'"
	}
	return ""
}

// rawset sets a field and accounts for what the table grows by.
func (m *machine) rawset(L *vm.LState, t *vm.LTable, key, value vm.LValue) {
	n, isNumber := key.(vm.LNumber)
	switch {
	case key == vm.LNil:
		L.RaiseError("table index is nil")
	case isNumber && math.IsNaN(float64(n)):
		L.RaiseError("table index is NaN")
	}
	if t.RawGet(key) == vm.LNil {
		if value == vm.LNil {
			return // which the VM would make room for
		}
		m.grow(t, key)
	}
	t.RawSet(key, value)
}

func (m *machine) grow(t *vm.LTable, key vm.LValue) {
	size := t.Len()
	if n, ok := key.(vm.LNumber); ok && n >= 1 && n < vm.LNumber(vm.MaxArrayIndex) && n == vm.LNumber(math.Floor(float64(n))) {
		if size == 0 {
			m.charge(sizeArray)
		}
		m.charge(sizeElement * max(1, int(n)-size)) // the VM fills the gap with nil
		m.work(max(0, int(n)-size) >> 4)
		return
	}
	last := vm.LValue(vm.LNil)
	if size > 0 {
		last = vm.LNumber(size)
	}
	if first, _ := t.Next(last); first == vm.LNil {
		m.charge(sizeFirst)
	}
	m.charge(sizeField)
}
