package rowtemplate

import (
	"fmt"
)

// Kind says what a template makes, and so how values are escaped in it.
type Kind uint8

// The kinds.
const (
	JSON   Kind = iota + 1
	Form        // application/x-www-form-urlencoded
	XML         // a document with one root element
	Text        // plain text, in which nothing is escaped
	URL         // an absolute URL
	Header      // the value of a header
)

// String names the kind.
func (k Kind) String() string {
	if k < JSON || k > Header {
		return fmt.Sprintf("Kind(%d)", uint8(k))
	}
	return [...]string{"JSON", "form", "XML", "text", "URL", "header"}[k-JSON]
}

// MaxTemplate bounds the bytes of a template.
const MaxTemplate = 64 << 10

// Options of a template. The zero value is the sensible choice.
type Options struct {
	// MaxOutput bounds the bytes of the output; 0 means 1 MiB, and 8 KiB for the kinds
	// URL and Header.
	MaxOutput int
}

// Template is a template that was checked. It is safe for concurrent use.
type Template struct {
	kind      Kind
	row       *Row
	source    source
	nodes     []node
	limit     int
	authority int // of a URL: where its path or query begins
}

// Compile checks a template on rows. An error is an [*Error] that says where, and is
// store.ErrInvalid.
//
// JSON and XML are checked whole: whichever branches are taken and whatever values a row
// has, the output is well-formed.
func Compile(kind Kind, text string, row *Row, o Options) (*Template, error) {
	t := &Template{kind: kind, row: row, source: source(text), limit: o.MaxOutput}
	if t.limit <= 0 {
		t.limit = 1 << 20
		if kind == URL || kind == Header {
			t.limit = 8 << 10
		}
	}
	if kind < JSON || kind > Header {
		return nil, source("").invalid(0, "unknown kind %d", kind)
	}
	if err := t.parse(); err != nil {
		return nil, err
	}
	if err := t.place(); err != nil {
		return nil, err
	}
	if err := t.try(); err != nil {
		return nil, err
	}
	return t, nil
}

// Kind returns the kind that the template was compiled for.
func (t *Template) Kind() Kind { return t.kind }

// Execute returns the template's output for a row, a *R. An error is an [*Error] that
// is ErrTooLarge or ErrValue, except where row is of another type.
func (t *Template) Execute(row any) ([]byte, error) {
	v, err := t.row.value(row)
	if err != nil {
		return nil, err
	}
	return t.execute(v)
}
