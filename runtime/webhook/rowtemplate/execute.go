package rowtemplate

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/url"
	"reflect"
	"strings"

	"github.com/hegner123/modulagen/runtime/store"
)

// maxRead bounds what one execution reads of the row, over all the places where the
// template names a field.
const maxRead = 64 << 20

// run is one execution.
type run struct {
	t    *Template
	row  reflect.Value
	dot  value
	read int
	docs map[*field]value // JSON, which is made once
	out  []byte
	acts []act // of a URL
}

// act is a value in the output: where it begins, and the offset of its action.
type act struct{ at, offset int }

func (t *Template) execute(row reflect.Value) ([]byte, error) {
	r := &run{t: t, row: row}
	if err := r.list(t.nodes); err != nil {
		return nil, err
	}
	if t.kind == URL {
		if err := r.checkPath(); err != nil {
			return nil, err
		}
	}
	return r.out, nil
}

func (r *run) list(nodes []node) error {
	for _, n := range nodes {
		var err error
		switch n := n.(type) {
		case *textNode:
			err = r.write(n.offset, n.text)
		case *actionNode:
			err = r.action(n)
		case *branchNode:
			err = r.branch(n)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *run) write(offset int, s string) error {
	if len(s) > r.t.limit-len(r.out) {
		return r.t.source.errorAt(offset, ErrTooLarge, "the output has more than %d bytes", r.t.limit)
	}
	r.out = append(r.out, s...)
	return nil
}

func (r *run) action(n *actionNode) error {
	v, err := n.expr.eval(r)
	if err != nil {
		return r.wrong(n.offset, err)
	}
	if !v.null && len(v.s) > r.t.limit-len(r.out) { // no escape makes a value shorter
		return r.write(n.offset, v.s)
	}
	if r.t.kind == URL {
		r.acts = append(r.acts, act{len(r.out), n.offset})
	}
	s, err := n.escape(r, &v)
	if err != nil {
		return r.wrong(n.offset, err)
	}
	return r.write(n.offset, s)
}

// wrong reports what a value does not permit.
func (r *run) wrong(offset int, err error) error {
	is := ErrValue
	if errors.Is(err, ErrTooLarge) {
		is = ErrTooLarge
	}
	return r.t.source.errorAt(offset, is, "%s", strings.TrimPrefix(err.Error(), is.Error()+": "))
}

func (r *run) branch(n *branchNode) error {
	v, err := n.cond.eval(r)
	if err != nil {
		return r.wrong(n.offset, err)
	}
	if !v.truth() {
		return r.list(n.otherwise)
	}
	if !n.with {
		return r.list(n.then)
	}
	outer := r.dot
	r.dot = v
	err = r.list(n.then)
	r.dot = outer
	return err
}

var errReadsTooMuch = fmt.Errorf("%w: the template reads more than %d bytes of the row", ErrTooLarge, maxRead)

func (r *run) current() (value, error) {
	return r.dot, r.spend(&r.dot)
}

func (r *run) spend(v *value) error {
	if r.read += v.size(); r.read > maxRead {
		return errReadsTooMuch
	}
	return nil
}

func (r *run) field(f *field) (v value, err error) {
	v, kept := r.docs[f]
	if !kept {
		if v, err = f.read(r.row); err != nil {
			return v, err
		}
	}
	if f.typ == typeJSON && !kept {
		if r.docs == nil {
			r.docs = map[*field]value{}
		}
		r.docs[f] = v
	}
	return v, r.spend(&v)
}

// checkPath refuses a path in which a value makes another resource of it.
func (r *run) checkPath() error {
	path := r.out[min(r.t.authority, len(r.out)):]
	if i := bytes.IndexByte(path, '?'); i >= 0 {
		path = path[:i]
	}
	at := r.t.authority
	for segment := range bytes.SplitSeq(path, []byte("/")) {
		end := at + len(segment)
		for _, act := range r.acts {
			if act.at < at || act.at > end {
				continue
			}
			plain, err := url.PathUnescape(string(segment))
			if err != nil || plain == "" || plain == "." || plain == ".." {
				return r.t.source.errorAt(act.offset, ErrValue, "a part of the path would be empty, . or .. by a value of the row")
			}
		}
		at = end + 1
	}
	return nil
}

// try executes a new template on an empty row and on a full one, and checks what comes
// of it with the parser of its kind.
func (t *Template) try() error {
	for _, row := range []reflect.Value{reflect.New(t.row.typ).Elem(), t.row.sample()} {
		out, err := t.execute(row)
		if errors.Is(err, ErrValue) { // of an empty path, as one that is not given makes
			continue
		}
		if wrong, ok := errors.AsType[*Error](err); ok {
			wrong.is = store.ErrInvalid
		}
		if err == nil {
			err = t.check(out)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (t *Template) check(out []byte) error {
	var err error
	switch t.kind {
	case JSON:
		var doc json.RawMessage
		err = json.Unmarshal(out, &doc)
	case XML:
		dec := xml.NewDecoder(bytes.NewReader(out))
		for err == nil {
			_, err = dec.Token()
		}
		if errors.Is(err, io.EOF) {
			err = nil
		}
	case Form:
		_, err = url.ParseQuery(string(out))
	case URL:
		_, err = url.Parse(string(out))
	}
	if err != nil {
		return t.source.invalid(len(t.source), "the output for a sample row is not %s: %s", t.kind, strings.TrimPrefix(err.Error(), "json: "))
	}
	return nil
}
