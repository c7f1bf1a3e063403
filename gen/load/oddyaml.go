package load

import (
	"strings"
	"unicode/utf8"

	"gopkg.in/yaml.v3"
)

// strict refuses what the YAML parser reads otherwise than YAML 1.2 says: the file would
// mean one thing here and another one in an editor. The tree does not show these, so that
// the text is looked at where a node starts.
func (f *file) strict(n *yaml.Node, inFlow bool) {
	switch at, before := f.runeAt(n.Line, n.Column), f.runeAt(n.Line, n.Column-1); {
	case n.Kind == yaml.AliasNode || n.Kind == yaml.DocumentNode:
		return
	case at == '!' && n.Style&yaml.TaggedStyle == 0: // a lone !, by which YAML makes a text of what follows
		f.wrong(n, "tags (!) have no place here", "write the value alone")
	case inFlow && before == '?':
		f.wrongAt(n.Line, n.Column-1, "a word that starts with ? is taken for a key without its ?", "put it in quotes if the ? belongs to it, or remove the ?")
	}
	quoted := n.Kind == yaml.ScalarNode && n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0
	flow := n.Kind != yaml.ScalarNode && n.Style&yaml.FlowStyle != 0
	if !inFlow && (quoted || flow) {
		if line, column := f.gluedComment(n.Line, n.Column); line > 0 {
			f.wrongAt(line, column, "a # directly behind a value starts no comment", "write a blank in front of it, or put it inside of the quotes if it belongs to the value")
		}
	}
	for _, c := range n.Content {
		f.strict(c, inFlow || flow)
	}
}

// runeAt returns the character at a place, 0 when there is none.
func (f *file) runeAt(line, column int) rune {
	if line < 1 || line > len(f.lines) {
		return 0
	}
	if f.runes.line != line { // nodes come in the order of their lines, and a line may have very many
		f.runes.line, f.runes.text = line, []rune(f.lines[line-1])
	}
	if column < 1 || column > len(f.runes.text) {
		return 0
	}
	return f.runes.text[column-1]
}

// gluedComment reads on from where a quoted text, or a list or mapping in brackets, starts
// to its end, and returns the place of the first # that follows a closing quote, a bracket or
// a comma without a blank; 0 when there is none.
func (f *file) gluedComment(line, column int) (atLine, atColumn int) {
	s := flowScan{starts: true}
	for l := line; l <= len(f.lines); l++ {
		text, c := f.lines[l-1], 1
		if l == line {
			for ; c < column && text != ""; c++ {
				_, size := utf8.DecodeRuneInString(text)
				text = text[size:]
			}
		}
		s.closed, s.before = false, ' '
		for text != "" {
			r, size := utf8.DecodeRuneInString(text)
			text = text[size:]
			if r == '#' && s.quote == 0 && (s.closed || strings.ContainsRune(",[{", s.before)) {
				return l, c
			}
			if s.depth == 0 && s.closed {
				return 0, 0
			}
			if r == '#' && s.quote == 0 && (s.before == ' ' || s.before == '\t') {
				break
			}
			if skip := s.next(r, text); skip {
				_, size := utf8.DecodeRuneInString(text)
				text, c = text[size:], c+1
			}
			s.before, c = r, c+1
		}
		if s.depth == 0 && s.closed {
			return 0, 0
		}
	}
	return 0, 0
}

// flowScan is where the reading of text in brackets or quotes has come.
type flowScan struct {
	depth  int
	quote  rune // that is open; 0: none
	starts bool // a value starts at the next character that is no blank
	closed bool // the last character closed a quote or a bracket
	before rune
}

// next takes a character, and reports whether the one behind it, with which rest begins,
// belongs to it.
func (s *flowScan) next(r rune, rest string) (skip bool) {
	switch {
	case s.quote == '"' && r == '\\':
		return true
	case s.quote == '\'' && r == '\'' && strings.HasPrefix(rest, "'"):
		return true
	case s.quote != 0:
		if s.closed = r == s.quote; s.closed {
			s.quote = 0
		}
		return false
	}
	afterValue := s.closed
	s.closed = false
	switch {
	case (r == '"' || r == '\'') && s.starts:
		s.quote, s.starts = r, false
	case r == '[' || r == '{':
		s.depth, s.starts = s.depth+1, true
	case r == ']' || r == '}':
		s.depth, s.starts, s.closed = s.depth-1, false, true
	case r == ',':
		s.starts = true
	case r == ':':
		s.starts = afterValue || strings.HasPrefix(rest, " ") || rest == ""
	case r != ' ' && r != '\t':
		s.starts = false
	}
	return false
}
