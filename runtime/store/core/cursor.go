package core

import (
	"encoding/base64"
	"encoding/binary"
	"fmt"
	"hash/fnv"
	"math"
	"time"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/internal/filter"
	"github.com/hegner123/modulagen/runtime/store/internal/value"
)

// maxCursor bounds what is decoded. A page that ends at a row with longer values
// comes with a cursor that says only that; to go on from it is ErrInvalid.
const maxCursor = 64 << 10

// A cursor is base64 of: fingerprint of datatype and sort (8 bytes), checksum
// of the rest (4 bytes), then each value: 0 for NULL, or 1 and the value.
const cursorHead = 12

// beyondCursor stands in place of values that are too long.
const beyondCursor = 2

func fingerprint(table string, cols []Column, sort []filter.Key) uint64 {
	h := fnv.New64a()
	h.Write([]byte(table))
	for _, k := range sort {
		sign := "\x00+"
		if k.Desc {
			sign = "\x00-"
		}
		h.Write([]byte(sign + cols[k.Col].Name))
	}
	return h.Sum64()
}

func checksum(head, body []byte) uint32 {
	h := fnv.New32a()
	h.Write(head)
	h.Write(body)
	return h.Sum32()
}

func encodeCursor(table string, cols []Column, sort []filter.Key, fields []any) (store.Cursor, error) {
	b := make([]byte, cursorHead, 64)
	binary.BigEndian.PutUint64(b, fingerprint(table, cols, sort))
	for _, k := range sort {
		v, err := Plain(fields[k.Col])
		if err != nil {
			return "", err
		}
		b = appendValue(b, v)
	}
	if len(b) > maxCursor {
		b = append(b[:cursorHead], beyondCursor)
	}
	binary.BigEndian.PutUint32(b[8:], checksum(b[:8], b[cursorHead:]))
	return store.Cursor(base64.RawURLEncoding.EncodeToString(b)), nil
}

func appendValue(b []byte, v any) []byte {
	if v == nil {
		return append(b, 0)
	}
	b = append(b, 1)
	switch x := v.(type) {
	case int64:
		return binary.AppendVarint(b, x)
	case float64:
		return binary.BigEndian.AppendUint64(b, math.Float64bits(x))
	case bool:
		if x {
			return append(b, 1)
		}
		return append(b, 0)
	case time.Time:
		return binary.AppendVarint(b, x.UnixMicro())
	case Number:
		return binary.AppendVarint(b, x.Unscaled)
	case store.Date:
		return appendBytes(b, x.String())
	case string:
		return appendBytes(b, x)
	case []byte:
		return appendBytes(b, string(x))
	}
	return b
}

func appendBytes(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeCursor returns the values of the sort columns.
func decodeCursor(c store.Cursor, table string, cols []Column, sort []filter.Key) ([]any, error) {
	bad := invalidQuery(table, "after", "cursor", "is not a cursor of this list: take Next of a page with the same sort")
	if len(c) > 2*maxCursor {
		return nil, bad
	}
	b, err := base64.RawURLEncoding.DecodeString(string(c))
	if err != nil || len(b) < cursorHead || binary.BigEndian.Uint64(b) != fingerprint(table, cols, sort) ||
		binary.BigEndian.Uint32(b[8:]) != checksum(b[:8], b[cursorHead:]) {
		return nil, bad
	}
	if len(b) == cursorHead+1 && b[cursorHead] == beyondCursor {
		return nil, invalidQuery(table, "after", "cursor", fmt.Sprintf("is a place from which the list cannot go on: the sorted values there are longer than a cursor's %d bytes; sort by shorter columns", maxCursor))
	}
	r := valueReader{rest: b[cursorHead:]}
	values := make([]any, len(sort))
	for i, k := range sort {
		values[i] = r.value(&cols[k.Col])
	}
	if r.broken || len(r.rest) > 0 {
		return nil, bad
	}
	return values, nil
}

type valueReader struct {
	rest   []byte
	broken bool
}

func (r *valueReader) byte() byte {
	if len(r.rest) == 0 {
		r.broken = true
		return 0
	}
	b := r.rest[0]
	r.rest = r.rest[1:]
	return b
}

func (r *valueReader) int() int64 {
	v, n := binary.Varint(r.rest)
	if n <= 0 {
		r.broken = true
		return 0
	}
	r.rest = r.rest[n:]
	return v
}

func (r *valueReader) float() float64 {
	const size = 8
	if len(r.rest) < size {
		r.broken = true
		return 0
	}
	f := math.Float64frombits(binary.BigEndian.Uint64(r.rest))
	r.rest = r.rest[size:]
	r.broken = r.broken || !value.Finite(f)
	return f
}

func (r *valueReader) text() string {
	size, n := binary.Uvarint(r.rest)
	if n <= 0 || size > uint64(len(r.rest)-n) {
		r.broken = true
		return ""
	}
	s := string(r.rest[n : n+int(size)])
	r.rest = r.rest[n+int(size):]
	return s
}

func (r *valueReader) value(col *Column) any {
	if r.byte() == 0 {
		r.broken = r.broken || !col.Null
		return nil
	}
	switch col.Rules.Kind {
	case check.Int:
		return r.int()
	case check.Float:
		return r.float()
	case check.Bool:
		return r.byte() != 0
	case check.Time:
		t, exact := timeArgument(time.UnixMicro(r.int()).UTC())
		r.broken = r.broken || !exact
		return t
	case check.Decimal:
		return Number{r.int(), col.Rules.Scale}
	case check.Date:
		d, err := store.ParseDate(r.text())
		d, exact := dateArgument(d)
		r.broken = r.broken || err != nil || !exact
		return d
	case check.Bytes:
		return []byte(r.text())
	}
	// A select's value is none of its options in a row that a newer program wrote, from which
	// the list has to go on: it is a place in the order here, and no filter that was mistyped.
	s := r.text()
	r.broken = r.broken || col.storableText(s) != nil
	return s
}

// whereAfter writes the filter, and after a cursor the rows behind it.
func (b *builder) whereAfter(table string, p plan) error {
	if p.after == "" {
		b.where(p.where, nil)
		return b.err
	}
	values, err := decodeCursor(p.after, table, b.cols, p.sort)
	if err != nil {
		return err
	}
	b.where(p.where, func() { b.behind(p.sort, values) })
	return b.err
}

// behind writes which rows come after the values: greater in the first column,
// or equal there and behind in the others. The bound in front says so once more
// in the form that an index on the first column serves.
func (b *builder) behind(sort []filter.Key, values []any) {
	k, v := sort[0], values[0]
	if len(sort) == 1 {
		b.beyond(k, v)
		return
	}
	b.write("(")
	if v != nil && (!k.Desc || !b.cols[k.Col].Null) {
		sign := " >= "
		if k.Desc {
			sign = " <= "
		}
		b.write(b.quoted[k.Col], sign)
		b.bind(v)
		b.write(" AND ")
	}
	b.write("(")
	b.beyond(k, v)
	b.write(" OR (")
	if v == nil {
		b.null(k.Col, true)
	} else {
		b.write(b.quoted[k.Col], " = ")
		b.bind(v)
	}
	b.write(" AND ")
	b.behind(sort[1:], values[1:])
	b.write(")))")
}

// beyond writes which values of one column come after v; NULL is the smallest.
func (b *builder) beyond(k filter.Key, v any) {
	switch {
	case v == nil && k.Desc:
		b.truth(false)
	case v == nil:
		b.null(k.Col, false)
	case k.Desc:
		b.orNull(k.Col, true, func() {
			b.write(b.quoted[k.Col], " < ")
			b.bind(v)
		})
	default:
		b.write(b.quoted[k.Col], " > ")
		b.bind(v)
	}
}
