package lua

import (
	"fmt"
)

// The patterns of Lua 5.1, as its manual has them (5.4.1). The VM's own matcher cannot be
// stopped once it has begun: this one counts its steps.

const (
	maxCaptures = 32
	maxMatch    = 200 // calls of match within one another
	escape      = '%'

	captureOpen     = -1
	capturePosition = -2
)

// patternError is a pattern that is not one.
type patternError string

func (e patternError) Error() string { return string(e) }

type capture struct{ start, length int }

// matcher matches a pattern at places of a text.
type matcher struct {
	text, pattern string
	level         int // of captures
	captures      [maxCaptures]capture
	depth         int
	steps         int
	work          func(n int) // counts steps, and does not return when there were too many
}

// stepsPerInstruction is how many steps take as long as an instruction.
const stepsPerInstruction = 8

func (p *matcher) step() {
	if p.steps++; p.steps >= 64*stepsPerInstruction {
		p.work(64)
		p.steps = 0
	}
}

func (p *matcher) fail(format string, args ...any) { panic(patternError(fmt.Sprintf(format, args...))) }

// at matches the pattern from a place on, and returns where the match ends; -1 for none.
func (p *matcher) at(s, start int) int {
	p.level, p.depth = 0, 0
	return p.match(s, start)
}

func (p *matcher) match(s, i int) int {
	if p.depth++; p.depth > maxMatch {
		p.fail("pattern too complex")
	}
	defer func() { p.depth-- }()
	for {
		p.step()
		if i == len(p.pattern) {
			return s
		}
		switch p.pattern[i] {
		case '(':
			if i+1 < len(p.pattern) && p.pattern[i+1] == ')' {
				return p.open(s, i+2, capturePosition)
			}
			return p.open(s, i+1, captureOpen)
		case ')':
			return p.close(s, i+1)
		case '$':
			if i+1 == len(p.pattern) {
				if s == len(p.text) {
					return s
				}
				return -1
			}
		case escape:
			if i+1 < len(p.pattern) {
				switch next := p.pattern[i+1]; {
				case next == 'b':
					if s = p.balance(s, i+2); s < 0 {
						return -1
					}
					i += 4
					continue
				case next == 'f':
					end, ok := p.frontier(s, i+2)
					if !ok {
						return -1
					}
					i = end
					continue
				case next >= '0' && next <= '9':
					if s = p.back(s, next); s < 0 {
						return -1
					}
					i += 2
					continue
				}
			}
		}
		end := p.classEnd(i)
		repeat := byte(0)
		if end < len(p.pattern) {
			repeat = p.pattern[end]
		}
		switch repeat {
		case '?':
			if s < len(p.text) && p.single(s, i, end) {
				if out := p.match(s+1, end+1); out >= 0 {
					return out
				}
			}
			i = end + 1
		case '*':
			return p.most(s, i, end, 0)
		case '+':
			return p.most(s, i, end, 1)
		case '-':
			return p.least(s, i, end)
		default:
			if s >= len(p.text) || !p.single(s, i, end) {
				return -1
			}
			s++
			i = end
		}
	}
}

// most matches as many characters of a class as it can, and at least so many.
func (p *matcher) most(s, i, end, atLeast int) int {
	n := 0
	for s+n < len(p.text) && p.single(s+n, i, end) {
		n++
		p.step()
	}
	for ; n >= atLeast; n-- {
		if out := p.match(s+n, end+1); out >= 0 {
			return out
		}
		p.step()
	}
	return -1
}

func (p *matcher) least(s, i, end int) int {
	for {
		if out := p.match(s, end+1); out >= 0 {
			return out
		}
		if s >= len(p.text) || !p.single(s, i, end) {
			return -1
		}
		s++
		p.step()
	}
}

func (p *matcher) open(s, i, length int) int {
	if p.level >= maxCaptures {
		p.fail("too many captures")
	}
	p.captures[p.level] = capture{s, length}
	p.level++
	out := p.match(s, i)
	if out < 0 {
		p.level--
	}
	return out
}

func (p *matcher) close(s, i int) int {
	for l := p.level - 1; l >= 0; l-- {
		if p.captures[l].length == captureOpen {
			p.captures[l].length = s - p.captures[l].start
			out := p.match(s, i)
			if out < 0 {
				p.captures[l].length = captureOpen
			}
			return out
		}
	}
	p.fail("invalid pattern capture")
	return -1
}

// back matches what a capture has matched.
func (p *matcher) back(s int, digit byte) int {
	l := int(digit - '1')
	if l < 0 || l >= p.level || p.captures[l].length == captureOpen {
		p.fail("invalid capture index")
	}
	c := p.captures[l]
	n := max(c.length, 0)
	p.work(n >> 6)
	if len(p.text)-s < n || p.text[c.start:c.start+n] != p.text[s:s+n] {
		return -1
	}
	return s + n
}

// balance is %bxy.
func (p *matcher) balance(s, i int) int {
	if i+1 >= len(p.pattern) {
		p.fail("unbalanced pattern")
	}
	if s >= len(p.text) || p.text[s] != p.pattern[i] {
		return -1
	}
	depth := 1
	for at := s + 1; at < len(p.text); at++ {
		p.step()
		switch p.text[at] {
		case p.pattern[i+1]:
			if depth--; depth == 0 {
				return at + 1
			}
		case p.pattern[i]:
			depth++
		}
	}
	return -1
}

// frontier is %f[set], and returns where the set ends.
func (p *matcher) frontier(s, i int) (end int, ok bool) {
	if i >= len(p.pattern) || p.pattern[i] != '[' {
		p.fail("missing '[' after '%%f' in pattern")
	}
	end = p.classEnd(i)
	var before, here byte
	if s > 0 {
		before = p.text[s-1]
	}
	if s < len(p.text) {
		here = p.text[s]
	}
	return end, !p.inSet(before, i, end-1) && p.inSet(here, i, end-1)
}

// classEnd returns where the class at i ends.
func (p *matcher) classEnd(i int) int {
	c := p.pattern[i]
	i++
	switch c {
	case escape:
		if i >= len(p.pattern) {
			p.fail("malformed pattern (ends with '%%')")
		}
		return i + 1
	case '[':
		if i < len(p.pattern) && p.pattern[i] == '^' {
			i++
		}
		for first := true; first || i >= len(p.pattern) || p.pattern[i] != ']'; first = false {
			if i >= len(p.pattern) {
				p.fail("malformed pattern (missing ']')")
			}
			p.step()
			i++
			if p.pattern[i-1] == escape {
				if i >= len(p.pattern) {
					p.fail("malformed pattern (missing ']')")
				}
				i++
			}
		}
		return i + 1
	}
	return i
}

// single reports whether a character is in the class of the pattern from i to end.
func (p *matcher) single(s, i, end int) bool {
	c := p.text[s]
	switch p.pattern[i] {
	case '.':
		return true
	case escape:
		return inClass(c, p.pattern[i+1])
	case '[':
		return p.inSet(c, i, end-1)
	}
	return p.pattern[i] == c
}

// inSet reports whether c is in the set from [ at i to ] at end.
func (p *matcher) inSet(c byte, i, end int) bool {
	in := true
	i++
	if p.pattern[i] == '^' {
		in = false
		i++
	}
	for ; i < end; i++ {
		p.step()
		switch {
		case p.pattern[i] == escape:
			i++
			if inClass(c, p.pattern[i]) {
				return in
			}
		case i+2 < end && p.pattern[i+1] == '-':
			if p.pattern[i] <= c && c <= p.pattern[i+2] {
				return in
			}
			i += 2
		case p.pattern[i] == c:
			return in
		}
	}
	return !in
}

// inClass reports whether c is in %class.
func inClass(c, class byte) bool {
	in := false
	switch class | 0x20 {
	case 'a':
		in = letter(c)
	case 'c':
		in = c < ' ' || c == 0x7f
	case 'd':
		in = digit(c)
	case 'l':
		in = c >= 'a' && c <= 'z'
	case 'p':
		in = c > ' ' && c < 0x7f && !letter(c) && !digit(c)
	case 's':
		in = c == ' ' || c >= '\t' && c <= '\r'
	case 'u':
		in = c >= 'A' && c <= 'Z'
	case 'w':
		in = letter(c) || digit(c)
	case 'x':
		in = digit(c) || c|0x20 >= 'a' && c|0x20 <= 'f'
	case 'z':
		in = c == 0
	default:
		return c == class
	}
	if class >= 'A' && class <= 'Z' {
		return !in
	}
	return in
}

func letter(c byte) bool { return c|0x20 >= 'a' && c|0x20 <= 'z' }
func digit(c byte) bool  { return c >= '0' && c <= '9' }
