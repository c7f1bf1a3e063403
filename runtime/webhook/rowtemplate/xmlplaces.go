package rowtemplate

import (
	"bytes"
	"encoding/xml"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// xmlPlaces follows the grammar of XML 1.0 through a template. A comment, a name or a
// reference does not go on behind an action.
type xmlPlaces struct {
	src source
	xmlPlace
}

// xmlPlace is a place in an XML document.
type xmlPlace struct {
	open    string // the elements that are open, each with a / behind it
	root    bool   // the root element has begun
	started bool   // anything has
	at      xmlAt
	element string // in a tag: its element
	names   string // in a tag: its attributes, each with a / behind it
	quote   byte   // in an attribute
}

type xmlAt uint8

const (
	inContent   xmlAt = iota
	inTag             // where an attribute may begin
	behindValue       // the same, but a space is missing
	inAttribute
)

var xmlNames = [...]string{"between tags", "within a tag", "within a tag", "within an attribute"}

func (p *xmlPlaces) save() any     { return p.xmlPlace }
func (p *xmlPlaces) restore(s any) { p.xmlPlace = s.(xmlPlace) }

func (p *xmlPlaces) name() string {
	switch elements := strings.Split(p.open, "/"); {
	case p.at != inContent:
		return xmlNames[p.at] + " of <" + p.element + ">"
	case p.open != "":
		return "within <" + elements[len(elements)-2] + ">"
	case p.root:
		return "behind the root element"
	}
	return "before the root element"
}

// join permits what both branches permit.
func (p *xmlPlaces) join(s any) bool {
	other := s.(xmlPlace)
	tag := func(a xmlAt) bool { return a == inTag || a == behindValue }
	if tag(p.at) && tag(other.at) {
		p.at = max(p.at, other.at)
		other.at = p.at
		for name := range strings.SplitSeq(strings.TrimSuffix(other.names, "/"), "/") {
			if name != "" && !slices.Contains(strings.Split(p.names, "/"), name) {
				p.names += name + "/"
			}
		}
		other.names = p.names
	}
	p.started = p.started || other.started
	other.started = p.started
	return p.xmlPlace == other
}

func (p *xmlPlaces) end(offset int) error {
	if p.at == inContent && p.open == "" && p.root {
		return nil
	}
	return p.src.invalid(offset, "the XML ends %s", p.name())
}

func (p *xmlPlaces) action(n *actionNode) error {
	switch {
	case p.at == inAttribute, p.at == inContent && p.open != "":
		p.started = true
		n.escape = escapeXML
		return nil
	case p.at == inContent:
		return p.src.invalid(n.offset, "a value stands within the root element, not %s", p.name())
	}
	return p.src.invalid(n.offset, "a value cannot stand in the tag <%s>; write it as an attribute in quotes", p.element)
}

// escapeXML escapes for both content and attributes. What XML has no character for
// becomes U+FFFD.
func escapeXML(_ *run, v *value) (string, error) {
	var b bytes.Buffer
	err := xml.EscapeText(&b, []byte(v.text()))
	return b.String(), err
}

func (p *xmlPlaces) text(n *textNode) error {
	for i := 0; i < len(n.text); {
		width, wrong := p.step(n.text[i:])
		if wrong != "" {
			return p.src.invalid(n.offset+i, "%s", wrong)
		}
		i += width
	}
	return nil
}

// step reads the next piece of markup, or the next character.
func (p *xmlPlaces) step(s string) (width int, wrong string) {
	started := p.started
	p.started = true
	switch p.at {
	case inTag, behindValue:
		return p.stepTag(s)
	case inAttribute:
		if s[0] == p.quote {
			p.at, p.quote = behindValue, 0
			return 1, ""
		}
		if s[0] == '<' {
			return 0, "write &lt; in an attribute, or close it with its quote"
		}
		return character(s)
	}
	switch {
	case strings.HasPrefix(s, "<?"):
		return instruction(s, started)
	case strings.HasPrefix(s, "<!--"):
		return comment(s)
	case strings.HasPrefix(s, "<![CDATA["):
		return 0, "CDATA is not there: values are escaped by themselves; write &lt; and &amp; in text"
	case strings.HasPrefix(s, "<!"):
		return 0, "a document type is not there; leave <!DOCTYPE ...> out"
	case strings.HasPrefix(s, "</"):
		return p.closeTag(s)
	case s[0] == '<':
		return p.openTag(s)
	case strings.HasPrefix(s, "]]>"):
		return 0, "write ]]&gt; in text"
	case p.open == "" && strings.IndexByte(" \t\r\n", s[0]) < 0:
		return 0, "text stands within the root element, not " + p.name()
	}
	return character(s)
}

var declaration = regexp.MustCompile(`^<\?xml version="1\.0"( encoding="(?i:utf-8)")?( standalone="(yes|no)")? ?\?>$`)

const crossing = "; a value cannot stand in it"

func instruction(s string, started bool) (width int, wrong string) {
	end := strings.Index(s, "?>")
	name := xmlName(s[2:])
	switch {
	case end < 0:
		return 0, "<? is not closed by ?>" + crossing
	case name == "":
		return 0, "a name is missing behind <?"
	case strings.EqualFold(name, "xml") && started:
		return 0, "<?xml stands at the very beginning, or not at all"
	case strings.EqualFold(name, "xml") && !declaration.MatchString(s[:end+2]):
		return 0, `write <?xml version="1.0" encoding="UTF-8"?>`
	}
	return end + 2, badCharacter(s[:end])
}

func comment(s string) (width int, wrong string) {
	end := strings.Index(s[4:], "--")
	switch {
	case end < 0:
		return 0, "<!-- is not closed by -->" + crossing
	case !strings.HasPrefix(s[4+end:], "-->"):
		return 0, "a comment cannot have -- in it"
	}
	return 4 + end + 3, badCharacter(s[:4+end])
}

func (p *xmlPlaces) openTag(s string) (width int, wrong string) {
	name := xmlName(s[1:])
	switch {
	case name == "":
		return 0, "write &lt; for <, or the name of an element behind it"
	case len(name)+1 == len(s):
		return 0, "the tag <" + name + " ends here; its name cannot have a value in it"
	case p.open == "" && p.root:
		return 0, "there is more than one root element; put all into one"
	case strings.Count(p.open, "/") == maxDepth:
		return 0, "the XML is nested too deep"
	}
	p.root, p.at, p.element, p.names = true, behindValue, name, ""
	return 1 + len(name), ""
}

func (p *xmlPlaces) closeTag(s string) (width int, wrong string) {
	name := xmlName(s[2:])
	rest := strings.TrimLeft(s[2+len(name):], " \t\r\n")
	outer, ok := strings.CutSuffix(p.open, "/")
	last := outer[strings.LastIndexByte(outer, '/')+1:]
	switch {
	case !ok:
		return 0, "</" + name + "> closes what is not open"
	case name != last:
		return 0, "</" + name + "> stands where </" + last + "> closes <" + last + ">"
	case !strings.HasPrefix(rest, ">"):
		return 0, "> is missing behind </" + name
	}
	p.open = strings.TrimSuffix(outer, last)
	return len(s) - len(rest) + 1, ""
}

func (p *xmlPlaces) stepTag(s string) (width int, wrong string) {
	switch {
	case strings.IndexByte(" \t\r\n", s[0]) >= 0:
		p.at = inTag
		return 1, ""
	case s[0] == '>':
		p.open += p.element + "/"
		p.leaveTag()
		return 1, ""
	case strings.HasPrefix(s, "/>"):
		p.leaveTag()
		return 2, ""
	}
	name := xmlName(s)
	rest := strings.TrimLeft(s[len(name):], " \t\r\n")
	switch {
	case name == "":
		return 0, "> or an attribute is missing here"
	case p.at == behindValue:
		return 0, "a space is missing before the attribute " + name
	case slices.Contains(strings.Split(p.names, "/"), name):
		return 0, "the attribute " + name + " may stand twice"
	case !strings.HasPrefix(rest, "="):
		return 0, `the attribute ` + name + ` has no value; write ` + name + `="..."`
	}
	rest = strings.TrimLeft(rest[1:], " \t\r\n")
	if rest == "" || rest[0] != '"' && rest[0] != '\'' {
		return 0, `the value of ` + name + ` stands in quotes; write ` + name + `="..."`
	}
	p.names += name + "/"
	p.at, p.quote = inAttribute, rest[0]
	return len(s) - len(rest) + 1, ""
}

func (p *xmlPlaces) leaveTag() {
	p.at, p.element, p.names, p.quote = inContent, "", "", 0
}

var nameForm = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]*(:[A-Za-z_][A-Za-z0-9_.-]*)?`)

// xmlName returns the name at the beginning of s; "" when there is none. Names are
// ASCII, which every receiver takes.
func xmlName(s string) string { return nameForm.FindString(s) }

// character reads a character or a reference of text.
func character(s string) (width int, wrong string) {
	if s[0] != '&' {
		_, size := utf8.DecodeRuneInString(s)
		return size, badCharacter(s[:size])
	}
	for _, known := range []string{"&lt;", "&gt;", "&amp;", "&quot;", "&apos;"} {
		if strings.HasPrefix(s, known) {
			return len(known), ""
		}
	}
	if number, _, ok := strings.Cut(s[1:], ";"); ok && strings.HasPrefix(number, "#") && len(number) < 12 {
		base, digits := 10, number[1:]
		if hex, ok := strings.CutPrefix(digits, "x"); ok {
			base, digits = 16, hex
		}
		if c, err := strconv.ParseUint(digits, base, 32); err == nil && c <= unicode.MaxRune && isXML(rune(c)) {
			return 1 + len(number) + 1, ""
		}
	}
	return 0, "write &amp; for &; references are &lt; &gt; &amp; &quot; &apos; and numbers such as &#10;"
}

func badCharacter(s string) (wrong string) {
	for _, c := range s {
		if !isXML(c) {
			return "XML has no character U+" + strings.ToUpper(strconv.FormatInt(int64(c), 16)) + "; leave it out"
		}
	}
	return ""
}

// isXML is the range of characters of XML 1.0, section 2.2.
func isXML(c rune) bool {
	return c == '\t' || c == '\n' || c == '\r' || c >= ' ' && c <= 0xD7FF || c >= 0xE000 && c <= 0xFFFD || c >= 0x10000 && c <= unicode.MaxRune
}
