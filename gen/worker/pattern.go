package worker

import (
	"regexp/syntax"
	"strings"
	"unicode"
)

// matching is a short text that a regular expression matches, as far as its syntax shows one; ""
// for what is no expression.
func matching(pattern string) string {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return ""
	}
	var b strings.Builder
	match(&b, re.Simplify())
	return b.String()
}

func match(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		b.WriteRune(oneOf(re.Rune))
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('a')
	case syntax.OpCapture, syntax.OpPlus:
		match(b, re.Sub[0])
	case syntax.OpRepeat:
		for range re.Min {
			match(b, re.Sub[0])
		}
	case syntax.OpConcat:
		for _, sub := range re.Sub {
			match(b, sub)
		}
	case syntax.OpAlternate:
		match(b, re.Sub[0])
	}
	// What is left matches an empty text, or nothing.
}

// oneOf is a character of a class: a letter or a digit where it has one.
func oneOf(ranges []rune) rune {
	best := ranges[0]
	for i := 0; i+1 < len(ranges); i += 2 {
		for _, r := range []rune{'a', 'A', '1', ranges[i]} {
			if r >= ranges[i] && r <= ranges[i+1] && (unicode.IsLetter(r) || unicode.IsDigit(r)) {
				return r
			}
		}
		if ranges[i] >= ' ' {
			best = ranges[i]
		}
	}
	return best
}
