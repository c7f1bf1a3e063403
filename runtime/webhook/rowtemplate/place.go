package rowtemplate

import (
	"bytes"
	"errors"
	"net/url"
	"strings"
)

// escape makes the text that stands for a value at its place.
type escape func(r *run, v *value) (string, error)

// place gives each action its escape, by the kind and by where it stands.
func (t *Template) place() error {
	switch t.kind {
	case JSON:
		return t.placeIn(&jsonPlaces{src: t.source})
	case XML:
		return t.placeIn(&xmlPlaces{src: t.source})
	case Form:
		return t.placeFlat(checkForm, escapeQuery)
	case Header:
		return t.placeFlat(checkHeader, escapeHeader)
	case URL:
		if err := t.placeAuthority(); err != nil {
			return err
		}
		return t.placeFlat(checkURL, escapeURL)
	}
	return t.placeFlat(func(source, *textNode) error { return nil }, escapeNothing)
}

// placeFlat is for kinds in which all places are alike.
func (t *Template) placeFlat(check func(source, *textNode) error, escape escape) error {
	return walk(t.nodes, func(n *textNode) error { return check(t.source, n) }, func(n *actionNode) { n.escape = escape })
}

func walk(nodes []node, text func(*textNode) error, action func(*actionNode)) error {
	for _, n := range nodes {
		var err error
		switch n := n.(type) {
		case *textNode:
			err = text(n)
		case *actionNode:
			action(n)
		case *branchNode:
			if err = walk(n.then, text, action); err == nil {
				err = walk(n.otherwise, text, action)
			}
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// places are the places of a kind that has a grammar: a text moves from one to the next,
// an action stands at one, and branches must end at the same one.
type places interface {
	text(n *textNode) error
	action(n *actionNode) error
	save() any     // the place
	restore(any)   // another place
	join(any) bool // with the place at which the other branch ended; false: they differ
	name() string  // of the place, for messages
	end(offset int) error
}

func (t *Template) placeIn(p places) error {
	if err := placeList(t.source, t.nodes, p); err != nil {
		return err
	}
	return p.end(len(t.source))
}

func placeList(src source, nodes []node, p places) error {
	for _, n := range nodes {
		var err error
		switch n := n.(type) {
		case *textNode:
			err = p.text(n)
		case *actionNode:
			err = p.action(n)
		case *branchNode:
			err = placeBranch(src, n, p)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func placeBranch(src source, n *branchNode, p places) error {
	start := p.save()
	if err := placeList(src, n.then, p); err != nil {
		return err
	}
	then, name := p.save(), p.name()
	p.restore(start)
	if err := placeList(src, n.otherwise, p); err != nil {
		return err
	}
	if p.join(then) {
		return nil
	}
	if len(n.otherwise) == 0 {
		return src.invalid(n.offset, "with this branch the output goes on %s, and without it %s; let it begin and end at the same place", name, p.name())
	}
	return src.invalid(n.offset, "one branch ends %s, the other %s; let both end at the same place", name, p.name())
}

func escapeNothing(_ *run, v *value) (string, error) { return v.text(), nil }

func escapeQuery(_ *run, v *value) (string, error) {
	return url.QueryEscape(v.text()), nil
}

// escapeURL escapes by whether the query has begun: no value can begin it, because
// both escapes escape the question mark.
func escapeURL(r *run, v *value) (string, error) {
	if bytes.IndexByte(r.out, '?') >= 0 {
		return escapeQuery(r, v)
	}
	return url.PathEscape(v.text()), nil
}

func escapeHeader(_ *run, v *value) (string, error) {
	s := v.text()
	for i := range len(s) {
		if isControl(s[i]) {
			return "", errors.New("a header cannot have a line break or another control character, which the value has")
		}
	}
	return s, nil
}

// isControl reports what RFC 9110, section 5.5, keeps out of the value of a header.
func isControl(c byte) bool { return c < ' ' && c != '\t' || c == 0x7f }

func checkHeader(src source, n *textNode) error {
	for i := range len(n.text) {
		if isControl(n.text[i]) {
			return src.invalid(n.offset+i, "a header cannot have a line break or another control character; leave it out")
		}
	}
	return nil
}

func checkForm(src source, n *textNode) error {
	for i := range len(n.text) {
		switch c := n.text[i]; {
		case c == ';':
			return src.invalid(n.offset+i, "; is not taken in forms; write & between pairs, or %%3B")
		case c == '%' && !isEscaped(n.text[i:]):
			return src.invalid(n.offset+i, "%% must be followed by two hexadecimal digits; write %%25")
		case c <= ' ' || c >= 0x7f:
			return src.invalid(n.offset+i, "a form has no such character; write %%%02X, or + for a space", c)
		}
	}
	return nil
}

func isEscaped(s string) bool {
	return len(s) >= 3 && isHex(s[1]) && isHex(s[2])
}

func isHex(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'f' || c >= 'A' && c <= 'F'
}

// placeAuthority finds where the scheme and the host end, which are literal: a value must
// never choose where a request goes.
func (t *Template) placeAuthority() error {
	const remedy = "a URL begins with a scheme and a host that are written out, such as https://hooks.example.com/"
	if len(t.nodes) == 0 {
		return t.source.invalid(0, remedy)
	}
	first, ok := t.nodes[0].(*textNode)
	if !ok {
		return t.source.invalid(0, remedy)
	}
	scheme, rest, ok := strings.Cut(first.text, "://")
	if !ok || !strings.EqualFold(scheme, "https") && !strings.EqualFold(scheme, "http") {
		return t.source.invalid(first.offset, remedy)
	}
	host := rest
	if i := strings.IndexAny(rest, "/?"); i >= 0 {
		host = rest[:i]
	} else if len(t.nodes) > 1 {
		return t.source.invalid(first.offset+len(first.text), "the host must be written out and end with /, before any value or branch")
	}
	at := first.offset + len(scheme) + len("://")
	if host == "" {
		return t.source.invalid(at, remedy)
	}
	for i := range len(host) {
		if c := host[i]; c == '@' {
			return t.source.invalid(at+i, "a URL with a user is not taken; write credentials into a header")
		} else if !isHostByte(c) {
			return t.source.invalid(at+i, "a host has letters, digits, dots and hyphens")
		}
	}
	t.authority = len(scheme) + len("://") + len(host)
	return nil
}

func isHostByte(c byte) bool {
	return c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte(".-_:[]", c) >= 0
}

func checkURL(src source, n *textNode) error {
	for i := range len(n.text) {
		switch c := n.text[i]; {
		case c == '#':
			return src.invalid(n.offset+i, "a fragment is not sent; leave # out, or write %%23")
		case c == '\\' || c <= ' ' || c >= 0x7f:
			return src.invalid(n.offset+i, "a URL has no such character; write %%%02X", c)
		case c == '%' && !isEscaped(n.text[i:]):
			return src.invalid(n.offset+i, "%% must be followed by two hexadecimal digits; write %%25")
		}
	}
	return nil
}
