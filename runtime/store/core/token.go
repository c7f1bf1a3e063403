package core

import (
	"strings"

	"github.com/hegner123/modulagen/runtime/store/sqltext"
)

// token is one word of SQL.
type token struct {
	kind   tokenKind
	text   string // of a name or a literal, without its quotes
	quoted bool

	from, to int // where it stands in the SQL
}

type tokenKind uint8

const (
	signToken tokenKind = iota
	nameToken
	textToken
	numberToken
)

// is compares with a sign, or with a word that is not quoted.
func (t token) is(s string) bool {
	return !t.quoted && t.kind != textToken && strings.EqualFold(t.text, s)
}

// tokens splits SQL as far as reading DDL needs it.
func tokens(d sqltext.Dialect, sql string) []token {
	var out []token
	for i := 0; i < len(sql); {
		start, before := i, len(out)
		switch c := sql[i]; {
		case c <= ' ':
			i++
		case strings.HasPrefix(sql[i:], "--"):
			i += lineLength(sql[i:])
		case c == '\'':
			escapes := d == sqltext.MySQL || i > 0 && sql[i-1]|0x20 == 'e' && len(out) > 0 && out[len(out)-1].is("e")
			if escapes && d != sqltext.MySQL { // PostgreSQL's E'...'
				start, before = start-1, before-1
				out = out[:before]
			}
			text, n := unquote(sql[i:], escapes)
			out = append(out, token{kind: textToken, text: text, quoted: true})
			i += n
		case c == '"' || c == '`':
			text, n := unquote(sql[i:], false)
			out = append(out, token{kind: nameToken, text: text, quoted: true})
			i += n
		case c >= '0' && c <= '9':
			n := wordLength(sql[i:])
			out = append(out, token{kind: numberToken, text: sql[i : i+n]})
			i += n
		case wordLength(sql[i:]) > 0:
			n := wordLength(sql[i:])
			out = append(out, token{kind: nameToken, text: sql[i : i+n]})
			i += n
		case strings.HasPrefix(sql[i:], "::"):
			out = append(out, token{kind: signToken, text: "::"})
			i += 2
		default:
			out = append(out, token{kind: signToken, text: sql[i : i+1]})
			i++
		}
		if len(out) > before {
			out[before].from, out[before].to = start, i
		}
	}
	return out
}

func lineLength(s string) int {
	if n := strings.IndexByte(s, '\n'); n >= 0 {
		return n
	}
	return len(s)
}

func wordLength(s string) int {
	for i := range len(s) {
		c := s[i]
		if c != '_' && c < 0x80 && (c < '0' || c > '9') && (c|0x20 < 'a' || c|0x20 > 'z') {
			return i
		}
	}
	return len(s)
}

// unquote reads a quoted word up to its end; the quote stands doubled inside.
func unquote(s string, escapes bool) (text string, n int) {
	var b strings.Builder
	quote := s[0]
	for i := 1; i < len(s); i++ {
		switch {
		case s[i] == quote && i+1 < len(s) && s[i+1] == quote, escapes && s[i] == '\\' && i+1 < len(s):
			i++
			b.WriteByte(s[i])
		case s[i] == quote:
			return b.String(), i + 1
		default:
			b.WriteByte(s[i])
		}
	}
	return b.String(), len(s)
}
