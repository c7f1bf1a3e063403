package lua

import (
	"slices"
	"strings"

	vm "github.com/yuin/gopher-lua"
)

// maxPattern is how many bytes a pattern may have.
const maxPattern = 4096

// stringFunctions are those of the table string, which are methods of each string too.
func (m *machine) stringFunctions() map[string]vm.LGFunction {
	return map[string]vm.LGFunction{
		"len": stringLen, "sub": m.stringSub, "upper": m.mapped(upper), "lower": m.mapped(lower),
		"reverse": m.mapped(slices.Reverse[[]byte]), "rep": m.stringRep, "byte": stringByte, "char": m.stringChar, "format": m.stringFormat,
		"find": m.stringFind, "match": m.stringMatch, "gmatch": m.stringGmatch, "gsub": m.stringGsub,
	}
}

func (m *machine) push(L *vm.LState, s string) int {
	m.text(len(s))
	L.Push(vm.LString(s))
	return 1
}

func stringLen(L *vm.LState) int {
	L.Push(vm.LNumber(len(L.CheckString(1))))
	return 1
}

// span makes positions of Lua, which count from 1 or from the end, a slice within n.
func span(n, from, to int) (int, int) {
	if from < 0 {
		from = max(n+from+1, 1)
	}
	if to < 0 {
		to = n + to + 1
	}
	from, to = max(from, 1), min(to, n)
	if from > to {
		return 0, 0
	}
	return from - 1, to
}

func (m *machine) stringSub(L *vm.LState) int {
	s := L.CheckString(1)
	from, to := span(len(s), clamp(L.CheckNumber(2)), clamp(L.OptNumber(3, -1)))
	return m.push(L, s[from:to])
}

// mapped makes a function of one that changes bytes.
func (m *machine) mapped(fn func(b []byte)) vm.LGFunction {
	return func(L *vm.LState) int {
		s := L.CheckString(1)
		m.text(2 * len(s))
		b := []byte(s)
		fn(b)
		L.Push(vm.LString(b))
		return 1
	}
}

// upper and lower change ASCII alone, as Lua's do.
func upper(b []byte) {
	for i, c := range b {
		if c >= 'a' && c <= 'z' {
			b[i] = c - 0x20
		}
	}
}

func lower(b []byte) {
	for i, c := range b {
		if c >= 'A' && c <= 'Z' {
			b[i] = c + 0x20
		}
	}
}

func (m *machine) stringRep(L *vm.LState) int {
	s, n := L.CheckString(1), max(0, clamp(L.CheckNumber(2)))
	if len(s) == 0 || n == 0 {
		L.Push(vm.LString(""))
		return 1
	}
	if n > maxString/len(s) {
		m.text(maxString + 1)
	}
	m.text(n * len(s))
	L.Push(vm.LString(strings.Repeat(s, n)))
	return 1
}

func stringByte(L *vm.LState) int {
	s := L.CheckString(1)
	first := clamp(L.OptNumber(2, 1))
	from, to := span(len(s), first, clamp(L.OptNumber(3, vm.LNumber(first))))
	if to-from > maxValues {
		L.RaiseError("string slice too long: at most %d", maxValues)
	}
	for i := from; i < to; i++ {
		L.Push(vm.LNumber(s[i]))
	}
	return to - from
}

func (m *machine) stringChar(L *vm.LState) int {
	b := make([]byte, L.GetTop())
	for i := range b {
		n := L.CheckNumber(i + 1)
		if !(n >= 0 && n <= 255) {
			L.ArgError(i+1, "invalid value")
		}
		b[i] = byte(n)
	}
	return m.push(L, string(b))
}

// matching makes a matcher, and raises what is wrong with a pattern as an error of Lua.
func (m *machine) matching(L *vm.LState, text, pattern string, fn func(p *matcher)) {
	if len(pattern) > maxPattern {
		L.RaiseError("a pattern of %d bytes: at most %d", len(pattern), maxPattern)
	}
	p := &matcher{text: text, pattern: pattern, work: m.work}
	func() {
		defer func() {
			switch e := recover().(type) {
			case nil:
			case patternError:
				L.RaiseError("%s", string(e))
			default:
				panic(e)
			}
		}()
		fn(p)
	}()
	m.work(p.steps / stepsPerInstruction)
}

// search finds the first match from a place on; -1 for none.
func (p *matcher) search(from int) (start, end int) {
	pattern := 0
	anchored := strings.HasPrefix(p.pattern, "^")
	if anchored {
		pattern = 1
	}
	for start = from; start <= len(p.text); start++ {
		if end = p.at(start, pattern); end >= 0 {
			return start, end
		}
		if anchored {
			break
		}
	}
	return -1, -1
}

// begins is the place at which find and match begin, and whether there is one.
func begins(L *vm.LState, n int) (int, bool) {
	from := clamp(L.OptNumber(3, 1))
	if from < 0 {
		from = n + from + 1
	}
	from = max(from, 1) - 1
	return from, from <= n
}

func (m *machine) stringFind(L *vm.LState) int {
	s, pattern := L.CheckString(1), L.CheckString(2)
	from, ok := begins(L, len(s))
	if !ok {
		L.Push(vm.LNil)
		return 1
	}
	if vm.LVAsBool(L.Get(4)) || !strings.ContainsAny(pattern, "^$*+?.([%-") {
		m.work((len(s) - from) >> 4)
		at := strings.Index(s[from:], pattern)
		if at < 0 {
			L.Push(vm.LNil)
			return 1
		}
		L.Push(vm.LNumber(from + at + 1))
		L.Push(vm.LNumber(from + at + len(pattern)))
		return 2
	}
	results := 1
	m.matching(L, s, pattern, func(p *matcher) {
		start, end := p.search(from)
		if start < 0 {
			L.Push(vm.LNil)
			return
		}
		L.Push(vm.LNumber(start + 1))
		L.Push(vm.LNumber(end))
		results = 2 + m.pushCaptures(L, p, start, end, false)
	})
	return results
}

func (m *machine) stringMatch(L *vm.LState) int {
	s, pattern := L.CheckString(1), L.CheckString(2)
	from, ok := begins(L, len(s))
	results := 1
	if !ok {
		L.Push(vm.LNil)
		return 1
	}
	m.matching(L, s, pattern, func(p *matcher) {
		start, end := p.search(from)
		if start < 0 {
			L.Push(vm.LNil)
			return
		}
		results = m.pushCaptures(L, p, start, end, true)
	})
	return results
}

// captured is the value of a capture.
func (m *machine) captured(p *matcher, i, start, end int) vm.LValue {
	if i >= p.level {
		if i > 0 {
			p.fail("invalid capture index")
		}
		m.text(end - start)
		return vm.LString(p.text[start:end])
	}
	c := p.captures[i]
	switch c.length {
	case capturePosition:
		return vm.LNumber(c.start + 1)
	case captureOpen:
		p.fail("unfinished capture")
	}
	m.text(c.length)
	return vm.LString(p.text[c.start : c.start+c.length])
}

// pushCaptures pushes the captures of a match, or all of it where there are none.
func (m *machine) pushCaptures(L *vm.LState, p *matcher, start, end int, whole bool) int {
	n := p.level
	if n == 0 && whole {
		n = 1
	}
	for i := range n {
		L.Push(m.captured(p, i, start, end))
	}
	return n
}

func (m *machine) stringGmatch(L *vm.LState) int {
	s, pattern := L.CheckString(1), L.CheckString(2)
	from := 0
	m.charge(sizeClosure * 2)
	L.Push(L.NewFunction(func(L *vm.LState) int {
		results := 0
		m.matching(L, s, pattern, func(p *matcher) {
			for ; from <= len(s); from++ {
				end := p.at(from, 0)
				if end < 0 {
					continue
				}
				results = m.pushCaptures(L, p, from, end, true)
				if end == from {
					end++
				}
				from = end
				return
			}
		})
		return results
	}))
	return 1
}

func (m *machine) stringGsub(L *vm.LState) int {
	s, pattern, replacement := L.CheckString(1), L.CheckString(2), L.Get(3)
	switch replacement.Type() {
	case vm.LTString, vm.LTNumber, vm.LTTable, vm.LTFunction:
	default:
		L.ArgError(3, "string, table or function expected")
	}
	most := clamp(L.OptNumber(4, vm.LNumber(len(s)+1)))
	var out []byte
	count := 0
	add := func(part string) {
		if len(out)+len(part) > maxString {
			m.text(len(out) + len(part))
		}
		m.charge(2 * len(part))
		out = append(out, part...)
	}
	m.matching(L, s, pattern, func(p *matcher) {
		first, anchored := 0, strings.HasPrefix(pattern, "^")
		if anchored {
			first = 1
		}
		at := 0
		for count < most {
			end := p.at(at, first)
			if end >= 0 {
				count++
				add(m.replaced(L, p, at, end, replacement))
			}
			switch {
			case end > at:
				at = end
			case at < len(s):
				add(s[at : at+1])
				at++
			default:
				at++
			}
			if at > len(s) || anchored {
				break
			}
		}
		add(s[min(at, len(s)):])
	})
	m.push(L, string(out))
	L.Push(vm.LNumber(count))
	return 2
}

// replaced is what stands in the place of a match.
func (m *machine) replaced(L *vm.LState, p *matcher, start, end int, replacement vm.LValue) string {
	var value vm.LValue
	switch r := replacement.(type) {
	case *vm.LTable:
		value = L.GetTable(r, m.captured(p, 0, start, end))
	case *vm.LFunction:
		saved := *p // the function may run out of what p counts, and not change what p is
		L.Push(r)
		n := m.pushCaptures(L, p, start, end, true)
		L.Call(n, 1)
		*p = saved
		value = L.Get(-1)
		L.Pop(1)
	default:
		text, _ := joinable(replacement)
		return m.expanded(p, text, start, end)
	}
	if !vm.LVAsBool(value) {
		return p.text[start:end]
	}
	text, ok := joinable(value)
	if !ok {
		L.RaiseError("invalid replacement value (a %s)", value.Type())
	}
	return text
}

// expanded replaces %0 to %9 by captures.
func (m *machine) expanded(p *matcher, text string, start, end int) string {
	if !strings.Contains(text, "%") {
		return text
	}
	var out strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] != escape {
			out.WriteByte(text[i])
			continue
		}
		i++
		switch {
		case i == len(text) || !digit(text[i]):
			if i < len(text) {
				out.WriteByte(text[i])
			}
		case text[i] == '0':
			m.text(end - start)
			out.WriteString(p.text[start:end])
		default:
			part, _ := joinable(m.captured(p, int(text[i]-'1'), start, end))
			out.WriteString(part)
		}
		if out.Len() > maxString {
			m.text(out.Len())
		}
	}
	return out.String()
}
