package rowtemplate

import (
	"strings"
)

// jsonPlaces follows the grammar of RFC 8259 through a template.
type jsonPlaces struct {
	src source
	jsonPlace
}

// jsonPlace is a place in a JSON document.
type jsonPlace struct {
	open string // the objects and lists that are open, as { and [
	at   jsonAt
}

type jsonAt uint8

const (
	atValue      jsonAt = iota // a value follows
	atFirstValue               // a value or the end of the list
	atKey                      // a key
	atFirstKey                 // a key or the end of the object
	atColon                    // behind a key
	atNext                     // behind a value
	inText                     // within the quotes of a value
	inKey                      // within the quotes of a key
)

var jsonNames = [...]string{
	"before a value", "before a value", "before a key", "before a key", "behind a key", "behind a value", "within a text", "within a key",
}

func (p *jsonPlaces) save() any     { return p.jsonPlace }
func (p *jsonPlaces) restore(s any) { p.jsonPlace = s.(jsonPlace) }

func (p *jsonPlaces) name() string {
	if p.open == "" && p.at == atNext {
		return "behind the whole document"
	}
	return jsonNames[p.at]
}

// join permits what both branches permit.
func (p *jsonPlaces) join(s any) bool {
	other := s.(jsonPlace)
	if p.open != other.open {
		return false
	}
	first := func(a jsonAt) bool { return a == atFirstValue || a == atFirstKey }
	switch {
	case p.at == other.at, first(other.at) && p.at == other.at-1:
		return true
	case first(p.at) && other.at == p.at-1:
		p.at = other.at
		return true
	}
	return false
}

func (p *jsonPlaces) end(offset int) error {
	switch {
	case p.open == "" && p.at == atNext:
		return nil
	case p.at == inText || p.at == inKey:
		return p.src.invalid(offset, "the JSON ends within a text; close it with a quote")
	case strings.HasSuffix(p.open, "{"):
		return p.src.invalid(offset, "the JSON ends within an object; close it with }")
	case strings.HasSuffix(p.open, "["):
		return p.src.invalid(offset, "the JSON ends within a list; close it with ]")
	}
	return p.src.invalid(offset, "the JSON has no value")
}

func (p *jsonPlaces) action(n *actionNode) error {
	switch p.at {
	case atValue, atFirstValue:
		n.escape = func(_ *run, v *value) (string, error) { return v.json(), nil }
		p.at = atNext
		return nil
	case inText, inKey:
		n.escape = escapeInJSON
		return nil
	case atKey, atFirstKey:
		return p.src.invalid(n.offset, `a key stands in quotes: write "{{...}}": before its value`)
	case atColon:
		return p.src.invalid(n.offset, "a colon is missing between the key and this value")
	}
	if p.open == "" {
		return p.src.invalid(n.offset, "this value stands behind the whole JSON document; put several into a list, [...]")
	}
	return p.src.invalid(n.offset, "a comma is missing before this value; a text that goes on stands in quotes as a whole")
}

func escapeInJSON(_ *run, v *value) (string, error) {
	s := jsonText(v.text())
	return s[1 : len(s)-1], nil
}

// text reads literal JSON. Numbers, words and escapes do not go on behind an action.
func (p *jsonPlaces) text(n *textNode) error {
	for i := 0; i < len(n.text); {
		width, wrong := p.step(n.text[i:])
		if wrong != "" {
			return p.src.invalid(n.offset+i, "%s", wrong)
		}
		i += width
	}
	return nil
}

// step reads the next token, or the next character of a text.
func (p *jsonPlaces) step(s string) (width int, wrong string) {
	c := s[0]
	if p.at == inText || p.at == inKey {
		return p.stepText(s)
	}
	if c == ' ' || c == '\t' || c == '\r' || c == '\n' {
		return 1, ""
	}
	switch p.at {
	case atColon:
		if c != ':' {
			return 0, "a colon is missing behind the key"
		}
		p.at = atValue
		return 1, ""
	case atKey, atFirstKey:
		switch {
		case c == '"':
			p.at = inKey
			return 1, ""
		case c == '}' && p.at == atFirstKey:
			return 1, p.close('{')
		case c == '}':
			return 0, "a comma stands before }; leave it out"
		}
		return 0, "a key in quotes is missing here"
	case atNext:
		switch {
		case p.open == "":
			return 0, "the JSON document ended before this"
		case c == ',' && strings.HasSuffix(p.open, "{"):
			p.at = atKey
			return 1, ""
		case c == ',':
			p.at = atValue
			return 1, ""
		case c == '}':
			return 1, p.close('{')
		case c == ']':
			return 1, p.close('[')
		}
		return 0, "a comma is missing here"
	}
	return p.stepValue(s)
}

func (p *jsonPlaces) stepValue(s string) (width int, wrong string) {
	switch c := s[0]; {
	case c == '"':
		p.at = inText
		return 1, ""
	case c == '{' || c == '[':
		if len(p.open) == maxDepth {
			return 0, "the JSON is nested too deep"
		}
		p.open += s[:1]
		p.at = atFirstValue
		if c == '{' {
			p.at = atFirstKey
		}
		return 1, ""
	case c == ']' && p.at == atFirstValue:
		return 1, p.close('[')
	case c == ']' && strings.HasSuffix(p.open, "["):
		return 0, "a comma stands before ]; leave it out"
	case c == '-' || c >= '0' && c <= '9':
		if width = numberWidth(s); width == 0 {
			return 0, "this is not a number of JSON, such as 5, -0.5 or 1e3"
		}
		p.at = atNext
		return width, ""
	}
	for _, word := range []string{"true", "false", "null"} {
		if strings.HasPrefix(s, word) {
			p.at = atNext
			return len(word), ""
		}
	}
	return 0, "a value is missing here: a text in quotes, a number, true, false, null, {...} or [...]"
}

func (p *jsonPlaces) close(open byte) (wrong string) {
	if last := p.open[len(p.open)-1]; last != open {
		return "this closes what is not open"
	}
	p.open, p.at = p.open[:len(p.open)-1], atNext
	return ""
}

func (p *jsonPlaces) stepText(s string) (width int, wrong string) {
	switch c := s[0]; {
	case c == '"' && p.at == inKey:
		p.at = atColon
	case c == '"':
		p.at = atNext
	case c < ' ':
		return 0, `a text has no line break and no other control character; write \n`
	case c == '\\':
		switch {
		case len(s) > 1 && strings.IndexByte(`"\/bfnrt`, s[1]) >= 0:
			return 2, ""
		case len(s) >= 6 && s[1] == 'u' && isHex(s[2]) && isHex(s[3]) && isHex(s[4]) && isHex(s[5]):
			return 6, ""
		}
		return 0, `a backslash begins no escape of JSON; write \\`
	}
	return 1, ""
}

// numberWidth returns how many bytes of s are a number of RFC 8259, section 6; 0 when
// none.
func numberWidth(s string) int {
	i := 0
	digits := func() bool {
		from := i
		for i < len(s) && s[i] >= '0' && s[i] <= '9' {
			i++
		}
		return i > from
	}
	if s[i] == '-' {
		i++
	}
	zero := i < len(s) && s[i] == '0'
	from := i
	if !digits() || zero && i > from+1 {
		return 0
	}
	if i < len(s) && s[i] == '.' {
		if i++; !digits() {
			return 0
		}
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		if i++; i < len(s) && (s[i] == '+' || s[i] == '-') {
			i++
		}
		if !digits() {
			return 0
		}
	}
	return i
}
