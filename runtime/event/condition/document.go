package condition

import (
	"bytes"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"unicode/utf8"
)

// element is a value of the JSON text, with its place.
type element struct {
	path    string
	offset  int
	token   any // json.Delim, string, json.Number, bool or nil
	members []member
	items   []element
}

type member struct {
	key    string
	offset int // of the key
	value  element
}

func (e *element) isObject() bool { return e.token == json.Delim('{') }
func (e *element) isList() bool   { return e.token == json.Delim('[') }

// member returns the member with a key, or nil.
func (e *element) member(key string) *member {
	for i := range e.members {
		if e.members[i].key == key {
			return &e.members[i]
		}
	}
	return nil
}

// maxNesting bounds objects and lists within one another: a group is two of them, a
// term one, a list of values another. It leaves one group too many to be reported by
// its place.
const maxNesting = 2*MaxDepth + 4

// document reads JSON and keeps where everything stands.
type document struct {
	raw []byte
	dec *json.Decoder
	p   *parser
}

// read returns the whole text; false when it cannot be read, which is reported.
func (p *parser) read(raw []byte) (element, bool) {
	top := element{path: "$"}
	switch {
	case len(raw) > MaxBytes:
		p.fail(&top, "a condition has at most "+strconv.Itoa(MaxBytes)+" bytes, not "+strconv.Itoa(len(raw)))
		return top, false
	case !utf8.Valid(raw):
		for top.offset < len(raw) {
			r, size := utf8.DecodeRune(raw[top.offset:])
			if r == utf8.RuneError && size == 1 {
				break
			}
			top.offset += size
		}
		p.fail(&top, "it is not UTF-8")
		return top, false
	case len(bytes.TrimSpace(raw)) == 0:
		p.fail(&top, "it is empty; "+exampleTerm+", or no condition at all")
		return top, false
	}
	var all json.RawMessage
	if err := json.Unmarshal(raw, &all); err != nil {
		if wrong, ok := errors.AsType[*json.SyntaxError](err); ok {
			top.offset = max(0, int(wrong.Offset)-1)
		}
		p.fail(&top, "it is not JSON: "+strings.TrimPrefix(err.Error(), "json: "))
		return top, false
	}
	d := &document{raw: raw, dec: json.NewDecoder(bytes.NewReader(raw)), p: p}
	d.dec.UseNumber()
	return d.element("$", 0)
}

// next is where the next token begins.
func (d *document) next() int {
	at := int(d.dec.InputOffset())
	for at < len(d.raw) && strings.IndexByte(" \t\r\n,:", d.raw[at]) >= 0 {
		at++
	}
	return at
}

func (d *document) element(path string, depth int) (element, bool) {
	e := element{path: path, offset: d.next()}
	token, err := d.dec.Token()
	if err != nil { // the text is known to be JSON
		d.p.fail(&e, "it is not JSON")
		return e, false
	}
	e.token = token
	if !e.isObject() && !e.isList() {
		return e, true
	}
	if depth == maxNesting {
		d.p.fail(&e, "groups are nested more than "+strconv.Itoa(MaxDepth)+" deep")
		return e, false
	}
	if e.isObject() {
		return e, d.members(&e, depth)
	}
	for d.dec.More() {
		item, ok := d.element(path+"["+strconv.Itoa(len(e.items))+"]", depth+1)
		if !ok {
			return e, false
		}
		e.items = append(e.items, item)
	}
	_, err = d.dec.Token()
	return e, err == nil
}

func (d *document) members(e *element, depth int) bool {
	seen := map[string]bool{}
	for d.dec.More() {
		m := member{offset: d.next()}
		token, err := d.dec.Token()
		if err != nil {
			return false
		}
		m.key, _ = token.(string)
		path := e.path + "." + pathName(m.key)
		value, ok := d.element(path, depth+1)
		if !ok {
			return false
		}
		m.value = value
		if seen[m.key] {
			d.p.fail(&element{path: path, offset: m.offset}, quote(m.key)+" stands twice in one object; "+remedyTwice(m.key))
		}
		seen[m.key] = true
		e.members = append(e.members, m)
	}
	_, err := d.dec.Token()
	return err == nil
}

// remedyTwice says what to write in place of a key that stands twice.
func remedyTwice(key string) string {
	if _, ok := groups[key]; ok {
		return "put one group into the other"
	}
	return "write a second term and join them with all_of or any_of"
}

// pathName is a key as it stands in a path.
func pathName(key string) string {
	for _, c := range key {
		if c != '_' && (c < 'a' || c > 'z') && (c < '0' || c > '9') && (c < 'A' || c > 'Z') {
			return quote(key)
		}
	}
	if len(key) > 60 || key == "" {
		return quote(key)
	}
	return key
}
