package lua

import (
	"math"
	"strconv"
	"strings"

	vm "github.com/yuin/gopher-lua"
)

// maxValues is how many values a function may return or be passed at once.
const maxValues = 4000

// maxProtected is how many pcalls may be within one another: each has a stack of its own.
const maxProtected = 50

// base are the functions of Lua that have no table.
func (m *machine) base() map[string]vm.LGFunction {
	return map[string]vm.LGFunction{
		"assert": m.assert, "error": m.error, "pcall": m.pcall, "xpcall": m.xpcall,
		"type": typeOf, "tostring": m.tostring, "tonumber": tonumber,
		"next": next, "pairs": m.pairs, "ipairs": m.ipairs, "select": selectValues, "unpack": unpack,
		"getmetatable": getmetatable, "setmetatable": m.setmetatable,
		"rawget": rawget, "rawset": m.rawsetTable, "rawequal": rawequal, "require": m.require,
	}
}

func (m *machine) assert(L *vm.LState) int {
	if !vm.LVAsBool(L.CheckAny(1)) {
		if L.GetTop() == 1 {
			L.RaiseError("assertion failed!")
		}
		L.Error(L.Get(2), 0)
	}
	return L.GetTop()
}

func (m *machine) error(L *vm.LState) int {
	level := clamp(L.OptNumber(2, 1))
	if level < 0 || level > m.limits.Depth {
		level = 0
	}
	if level > 1 {
		level++ // the VM counts this function, too
	}
	value := L.Get(1)
	if s, ok := value.(vm.LString); ok {
		m.text(len(s) + 256)
	}
	L.Error(value, level)
	return 0
}

// protected calls the function below its n arguments on a stack of its own, and returns how
// many results are on top, or the error. On the stack of the caller the VM would, with an error, cut closures of
// functions that go on from their variables.
func (m *machine) protected(L *vm.LState, n int) (results int, err error) {
	if len(m.states) > maxProtected {
		m.stop("more than %d pcalls within one another", maxProtected)
		m.check()
	}
	fn, _ := L.Get(L.GetTop() - n).(*vm.LFunction)
	thread := m.thread()
	L.XMoveTo(thread, n+1)
	m.states = append(m.states, thread)
	err = thread.PCall(n, vm.MultRet, nil)
	m.states = m.states[:len(m.states)-1]
	m.overflowed(err)
	m.check() // a run that was stopped catches no error
	if e, ok := err.(*vm.ApiError); ok {
		if text, isText := e.Object.(vm.LString); isText && fn != nil && fn.IsG && strings.HasPrefix(string(text), " ") {
			e.Object = vm.LString(m.where()+":") + text // a function of Go has no line: that of pcall
		}
		if e.Type != vm.ApiErrorPanic {
			m.idle = append(m.idle, thread)
		}
	}
	if err != nil {
		return 0, err
	}
	results = thread.GetTop()
	thread.XMoveTo(L, results)
	m.idle = append(m.idle, thread)
	return results, nil
}

// thread returns a stack for a pcall.
func (m *machine) thread() *vm.LState {
	if n := len(m.idle) - 1; n >= 0 {
		thread := m.idle[n]
		m.idle = m.idle[:n]
		thread.SetTop(0)
		return thread
	}
	m.charge(32*m.L.Options.RegistrySize + 128*m.L.Options.CallStackSize)
	thread, cancel := m.L.NewThread()
	if cancel != nil {
		cancel()
	}
	thread.SetContext(m)
	return thread
}

// overflowed stops a run whose calls were nested too deep: the VM raises an error like others.
func (m *machine) overflowed(err error) {
	e, ok := err.(*vm.ApiError)
	if !ok || m.stopped != nil {
		return
	}
	text, _ := e.Object.(vm.LString)
	for _, overflow := range []string{" stack overflow", " registry overflow"} {
		if at, found := strings.CutSuffix(string(text), overflow); found {
			m.stopped = &BoundError{strings.TrimSuffix(at, ":"), "more than " + grouped(int64(m.limits.Depth)) + " calls within one another"}
			return
		}
	}
}

func (m *machine) pcall(L *vm.LState) int {
	L.CheckAny(1)
	results, err := m.protected(L, L.GetTop()-1)
	if err != nil {
		L.Push(vm.LFalse)
		L.Push(errorValue(err))
		return 2
	}
	L.Insert(vm.LTrue, L.GetTop()-results+1)
	return results + 1
}

// xpcall calls the handler when the function has ended: there is no debug library to look at
// its stack with.
func (m *machine) xpcall(L *vm.LState) int {
	fn, handler := L.CheckAny(1), L.CheckAny(2)
	L.SetTop(0)
	L.Push(fn)
	results, err := m.protected(L, 0)
	if err == nil {
		L.Insert(vm.LTrue, L.GetTop()-results+1)
		return results + 1
	}
	L.SetTop(0)
	L.Push(handler)
	L.Push(errorValue(err))
	results, err = m.protected(L, 1)
	if err != nil {
		L.Push(vm.LFalse)
		L.Push(errorValue(err))
		return 2
	}
	L.Insert(vm.LFalse, L.GetTop()-results+1)
	return results + 1
}

// errorValue is what was passed to error.
func errorValue(err error) vm.LValue {
	if e, ok := err.(*vm.ApiError); ok && e.Object != nil {
		return e.Object
	}
	return vm.LString(err.Error())
}

func typeOf(L *vm.LState) int {
	L.Push(vm.LString(L.CheckAny(1).Type().String()))
	return 1
}

func (m *machine) tostring(L *vm.LState) int {
	L.Push(vm.LString(m.show(L, L.CheckAny(1))))
	return 1
}

// show is tostring. Where tables are in memory is nobody's business.
func (m *machine) show(L *vm.LState, v vm.LValue) string {
	switch v := v.(type) {
	case vm.LString:
		return string(v)
	case vm.LNumber:
		m.charge(32)
		return numberText(v)
	case *vm.LUserData:
		return "null"
	case *vm.LTable:
		if meta, ok := L.GetMetaField(v, "__tostring").(*vm.LFunction); ok {
			L.Push(meta)
			L.Push(v)
			L.Call(1, 1)
			text, ok := L.Get(-1).(vm.LString)
			L.Pop(1)
			if !ok {
				L.RaiseError("'__tostring' must return a string")
			}
			return string(text)
		}
		return "table"
	case *vm.LFunction:
		return "function"
	}
	return v.String()
}

// numberText is a number as Lua writes it.
func numberText(n vm.LNumber) string {
	f := float64(n)
	switch {
	case math.IsInf(f, 1):
		return "inf"
	case math.IsInf(f, -1):
		return "-inf"
	case math.IsNaN(f):
		return "nan"
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return strconv.FormatInt(int64(f), 10)
	}
	return strconv.FormatFloat(f, 'g', 14, 64)
}

func tonumber(L *vm.LState) int {
	base := L.OptInt(2, 10)
	switch v := L.CheckAny(1).(type) {
	case vm.LNumber:
		L.Push(v)
	case vm.LString:
		L.Push(parseNumber(L, strings.TrimSpace(string(v)), base))
	default:
		L.Push(vm.LNil)
	}
	return 1
}

func parseNumber(L *vm.LState, s string, base int) vm.LValue {
	if len(s) > 400 || strings.Contains(s, "_") {
		return vm.LNil
	}
	if base != 10 {
		if base < 2 || base > 36 {
			L.ArgError(2, "base out of range")
		}
		n, err := strconv.ParseInt(s, base, 64)
		if err != nil {
			return vm.LNil
		}
		return vm.LNumber(n)
	}
	if hex, ok := strings.CutPrefix(strings.ToLower(s), "0x"); ok {
		if n, err := strconv.ParseUint(hex, 16, 64); err == nil {
			return vm.LNumber(n)
		}
		return vm.LNil
	}
	if strings.Trim(s, "+-.0123456789eE") != "" {
		return vm.LNil // what only Go takes: Inf, nan, hexadecimal floats
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return vm.LNil
	}
	return vm.LNumber(f)
}

func next(L *vm.LState) int {
	key, value := L.CheckTable(1).Next(L.Get(2))
	L.Push(key)
	if key == vm.LNil {
		return 1
	}
	L.Push(value)
	return 2
}

func (m *machine) pairs(L *vm.LState) int {
	t := L.CheckTable(1)
	L.Push(m.nextFn)
	L.Push(t)
	L.Push(vm.LNil)
	return 3
}

func (m *machine) ipairs(L *vm.LState) int {
	t := L.CheckTable(1)
	L.Push(m.inextFn)
	L.Push(t)
	L.Push(vm.LNumber(0))
	return 3
}

func inext(L *vm.LState) int {
	i := L.CheckInt(2) + 1
	v := L.CheckTable(1).RawGetInt(i)
	if v == vm.LNil {
		return 0
	}
	L.Push(vm.LNumber(i))
	L.Push(v)
	return 2
}

func selectValues(L *vm.LState) int {
	if L.Get(1) == vm.LString("#") {
		L.Push(vm.LNumber(L.GetTop() - 1))
		return 1
	}
	i, n := clamp(L.CheckNumber(1)), L.GetTop()-1
	if i < 0 {
		i = n + i + 1
	}
	if i < 1 {
		L.ArgError(1, "index out of range")
	}
	return max(0, n-i+1)
}

func unpack(L *vm.LState) int {
	t := L.CheckTable(1)
	from, to := clamp(L.OptNumber(2, 1)), clamp(L.OptNumber(3, vm.LNumber(t.Len())))
	if to-from >= maxValues {
		L.RaiseError("too many results to unpack: at most %d", maxValues)
	}
	for i := from; i <= to; i++ {
		L.Push(t.RawGet(vm.LNumber(i)))
	}
	return max(0, to-from+1)
}

// clamp makes a whole number of one, within what no sum of two overflows.
func clamp(n vm.LNumber) int {
	const most = 1 << 53
	if math.IsNaN(float64(n)) {
		return 0
	}
	return int(min(max(n, -most), most))
}

// protectedField keeps a metatable from being read and replaced.
const protectedField = "__metatable"

func getmetatable(L *vm.LState) int {
	v := L.CheckAny(1)
	if shown := L.GetMetaField(v, protectedField); shown != vm.LNil {
		L.Push(shown)
		return 1
	}
	L.Push(L.GetMetatable(v))
	return 1
}

func (m *machine) setmetatable(L *vm.LState) int {
	t := L.CheckTable(1)
	meta := L.Get(2)
	if meta != vm.LNil && meta.Type() != vm.LTTable {
		L.ArgError(2, "nil or table expected")
	}
	if L.GetMetaField(t, protectedField) != vm.LNil {
		L.RaiseError("cannot change a protected metatable")
	}
	t.Metatable = meta
	L.SetTop(1)
	return 1
}

func rawget(L *vm.LState) int {
	L.Push(L.CheckTable(1).RawGet(L.CheckAny(2)))
	return 1
}

func (m *machine) rawsetTable(L *vm.LState) int {
	m.rawset(L, L.CheckTable(1), L.CheckAny(2), L.CheckAny(3))
	L.SetTop(1)
	return 1
}

func rawequal(L *vm.LState) int {
	L.Push(vm.LBool(L.CheckAny(1) == L.CheckAny(2)))
	return 1
}
