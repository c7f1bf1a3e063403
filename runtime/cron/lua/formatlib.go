package lua

import (
	"fmt"
	"strconv"
	"strings"

	vm "github.com/yuin/gopher-lua"
)

// stringFormat is string.format. Width and precision have two digits at most, as in Lua.
func (m *machine) stringFormat(L *vm.LState) int {
	format := L.CheckString(1)
	var out strings.Builder
	arg := 1
	write := func(text string) {
		if out.Len()+len(text) > maxString {
			m.text(out.Len() + len(text))
		}
		m.charge(2 * len(text))
		out.WriteString(text)
	}
	for {
		before, after, found := strings.Cut(format, "%")
		write(before)
		if !found {
			break
		}
		if strings.HasPrefix(after, "%") {
			write("%")
			format = after[1:]
			continue
		}
		flags, verb, rest := directive(L, after)
		arg++
		write(m.formatted(L, flags, verb, arg))
		format = rest
	}
	return m.push(L, out.String())
}

// directive takes flags, width, precision and verb from what stands behind a %.
func directive(L *vm.LState, s string) (flags string, verb byte, rest string) {
	i := 0
	for i < len(s) && strings.IndexByte("-+ #0", s[i]) >= 0 {
		i++
	}
	digits := func() {
		start := i
		for i < len(s) && digit(s[i]) {
			i++
		}
		if i-start > 2 || i > 16 {
			L.RaiseError("invalid format (width or precision too long)")
		}
	}
	digits()
	if i < len(s) && s[i] == '.' {
		i++
		digits()
	}
	if i == len(s) {
		L.RaiseError("invalid format: it ends with '%%%s'", s[:i])
	}
	return s[:i], s[i], s[i+1:]
}

func (m *machine) formatted(L *vm.LState, flags string, verb byte, arg int) string {
	switch verb {
	case 's':
		text := m.show(L, L.CheckAny(arg))
		if flags == "" {
			return text
		}
		m.text(len(text) + 100)
		return fmt.Sprintf("%"+flags+"s", text)
	case 'q':
		return m.quoted(L.CheckString(arg))
	case 'd', 'i':
		n := float64(L.CheckNumber(arg))
		if n != n || n >= 1<<63 || n < -1<<63 {
			L.ArgError(arg, "number has no integer representation")
		}
		return fmt.Sprintf("%"+flags+"d", int64(n))
	case 'u', 'o', 'x', 'X', 'c':
		n := float64(L.CheckNumber(arg))
		if !(n >= 0 && n < 1<<64) {
			L.ArgError(arg, "number is negative or too large")
		}
		if verb == 'c' {
			return string([]byte{byte(n)})
		}
		if verb == 'u' {
			verb = 'd'
		}
		return fmt.Sprintf("%"+flags+string(verb), uint64(n))
	case 'e', 'E', 'f', 'g', 'G':
		return fmt.Sprintf("%"+flags+string(verb), float64(L.CheckNumber(arg)))
	}
	L.RaiseError("invalid option '%%%s' to 'format'", strconv.QuoteRune(rune(verb)))
	return ""
}

// quoted is %q: a string that Lua reads again.
func (m *machine) quoted(s string) string {
	m.text(4*len(s) + 2)
	var out strings.Builder
	out.WriteByte('"')
	for i := range len(s) {
		switch c := s[i]; c {
		case '"', '\\':
			out.WriteByte('\\')
			out.WriteByte(c)
		case '\n':
			out.WriteString("\\n")
		case '\r':
			out.WriteString("\\r")
		case 0:
			out.WriteString("\\000")
		default:
			out.WriteByte(c)
		}
	}
	out.WriteByte('"')
	return out.String()
}
