package sqlc

import (
	"strings"

	"github.com/hegner123/modulagen/gen/model"
)

// kind is what a token is.
type kind int

const (
	space kind = iota
	comment
	word       // a bare word or a number
	quoted     // "name", `name`
	str        // 'text', $$text$$
	named      // @name
	positional // ?, ?1, $1, :name
	semicolon
	other // an operator or a bracket; "::" and "||" are one token each
)

// token is a piece of SQL. All tokens of a text, put together, are the text.
type token struct {
	kind kind
	text string
	at   int // offset in the text
}

// broken is where a string, a quoted name or a comment has no end.
type broken struct {
	at   int
	what string
}

// lexer cuts SQL into tokens. It knows just enough of the three grammars not to
// look for parameters and semicolons inside strings, names and comments.
type lexer struct {
	text      string
	at        int
	backslash bool // strings may hold \' (MySQL)
	dollar    bool // $tag$text$tag$, E'text' and nested comments (PostgreSQL)
}

func newLexer(text string, dbs []model.Database) *lexer {
	l := &lexer{text: text}
	if len(dbs) == 1 {
		l.backslash = dbs[0] == model.MySQL
		l.dollar = dbs[0] == model.Postgres
	}
	return l
}

// tokens cuts the whole text.
func (l *lexer) tokens() ([]token, *broken) {
	var out []token
	for l.at < len(l.text) {
		start := l.at
		k, what := l.next()
		if what != "" {
			return out, &broken{at: start, what: what}
		}
		out = append(out, token{kind: k, text: l.text[start:l.at], at: start})
	}
	return out, nil
}

// next moves past one token. It gives what has no end, or "".
func (l *lexer) next() (kind, string) {
	rest := l.text[l.at:]
	c := rest[0]
	switch {
	case isSpace(c):
		l.skip(isSpace)
		return space, ""
	case strings.HasPrefix(rest, "--"):
		l.skip(func(c byte) bool { return c != '\n' })
		return comment, ""
	case strings.HasPrefix(rest, "/*"):
		return comment, l.blockComment()
	case c == '\'':
		return str, l.quotedBy('\'', l.backslash)
	case l.dollar && (c == 'E' || c == 'e') && len(rest) > 1 && rest[1] == '\'':
		l.at++
		return str, l.quotedBy('\'', true)
	case c == '"':
		return quoted, l.quotedBy('"', false)
	case c == '`':
		return quoted, l.quotedBy('`', false)
	case c == ';':
		l.at++
		return semicolon, ""
	case wordByte(c):
		l.skip(wordByte)
		return word, ""
	}
	return l.mark(rest)
}

// mark moves past a parameter or an operator.
func (l *lexer) mark(rest string) (kind, string) {
	c := rest[0]
	if strings.HasPrefix(rest, "::") || strings.HasPrefix(rest, "||") || strings.HasPrefix(rest, "@@") {
		l.at += 2
		return other, ""
	}
	follows := len(rest) > 1 && wordByte(rest[1])
	l.at++
	switch {
	case c == '?' && l.dollar && !(len(rest) > 1 && isDigit(rest[1])): // jsonb has the operators ?, ?| and ?&
		return other, ""
	case c == '?':
		l.skip(isDigit)
		return positional, ""
	case c == '$' && follows && isDigit(rest[1]):
		l.skip(isDigit)
		return positional, ""
	case c == '$' && l.dollar:
		l.at--
		return str, l.dollarQuoted()
	case c == ':' && follows && !isDigit(rest[1]):
		l.skip(wordByte)
		return positional, ""
	case c == '@' && follows && !isDigit(rest[1]):
		l.skip(wordByte)
		return named, ""
	}
	return other, ""
}

func (l *lexer) skip(while func(byte) bool) {
	for l.at < len(l.text) && while(l.text[l.at]) {
		l.at++
	}
}

func (l *lexer) quotedBy(q byte, backslash bool) string {
	for l.at++; l.at < len(l.text); l.at++ {
		switch c := l.text[l.at]; {
		case c == '\\' && backslash:
			l.at++
		case c == q && l.at+1 < len(l.text) && l.text[l.at+1] == q:
			l.at++
		case c == q:
			l.at++
			return ""
		}
	}
	l.at = len(l.text)
	return "the quote " + string(q)
}

func (l *lexer) blockComment() string {
	depth := 0
	for l.at < len(l.text) {
		switch rest := l.text[l.at:]; {
		case strings.HasPrefix(rest, "/*") && (depth == 0 || l.dollar):
			depth++
			l.at += 2
		case strings.HasPrefix(rest, "*/"):
			depth--
			l.at += 2
			if depth == 0 {
				return ""
			}
		default:
			l.at++
		}
	}
	return "the comment /*"
}

// dollarQuoted moves past $tag$text$tag$, or past a lone dollar.
func (l *lexer) dollarQuoted() string {
	rest := l.text[l.at:]
	end := 1
	for end < len(rest) && wordByte(rest[end]) {
		end++
	}
	if end >= len(rest) || rest[end] != '$' {
		l.at++
		return ""
	}
	tag := rest[:end+1]
	closing := strings.Index(rest[len(tag):], tag)
	if closing < 0 {
		l.at = len(l.text)
		return "the quote " + tag
	}
	l.at += 2*len(tag) + closing
	return ""
}

func isSpace(c byte) bool { return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\f' }
func isDigit(c byte) bool { return c >= '0' && c <= '9' }
