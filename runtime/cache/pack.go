package cache

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// packer turns values into what a backend keeps. A value's format names the codec
// and the type, and lists what was done then, in order: "json:string",
// "gob:page.1f0c84b2a9d3+zstd", "json:string+zstd+aes:k2". On a JSON column, what
// is no JSON is wrapped at last: "+b64".
type packer struct {
	table    string // for seals
	codec    Codec
	plain    string // the format of a value that was only encoded
	isJSON   bool   // what the codec makes is JSON
	compress int    // from so many bytes on; 0: never
	keys     []sealer
	limit    int // bytes of a value, packed or not
	json     bool
	whole    bool // V is int, int8, int16, int32 or int64, and reads counters
	counts   bool // such a V is written as a counter, which Increment may add to
}

func newPacker(t reflect.Type, codec Codec) packer {
	name := codec.Name()
	return packer{
		codec: codec, plain: name + ":" + typeName(t), isJSON: name == "json",
		whole: t.PkgPath() == "" && t.Kind() >= reflect.Int && t.Kind() <= reflect.Int64, // a type with a name may have a form of its own
	}
}

var nameForm = regexp.MustCompile(`^[a-z0-9]{1,20}$`)

// pack fills in what a value becomes, and returns the bytes that it takes encoded. A
// seal holds until the moment, which is in microseconds; 0: for ever.
func (p *packer) pack(v any, w *backend.Write, until int64) (size int, err error) {
	if p.counts {
		w.Format, w.Number = backend.FormatInt, reflect.ValueOf(v).Int()
		return 0, nil
	}
	data, err := p.codec.Encode(v)
	if err != nil {
		return 0, fmt.Errorf("cache: encode %T: %w", v, err)
	}
	if len(data) > p.limit {
		return 0, fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), p.limit)
	}
	size = len(data)
	format, isJSON := p.plain, p.isJSON
	if p.compress > 0 && len(data) >= p.compress {
		if small := encoder().EncodeAll(data, nil); len(small) < len(data) {
			data, format, isJSON = small, format+"+zstd", false
		}
	}
	if len(p.keys) > 0 {
		format, isJSON = format+"+"+sealStep+p.keys[0].id, false
		data = p.keys[0].seal(data, p.place(w.Key, format), until)
	}
	if p.json && (!isJSON || bytes.Contains(data, []byte(`\u0000`))) { // a JSON column may not take a NUL
		data, format = wrap(data), format+"+b64"
	}
	if len(data) > p.limit {
		return 0, fmt.Errorf("%w: %d bytes as it is kept, at most %d", ErrTooLarge, len(data), p.limit)
	}
	w.Value, w.Format = data, format
	return size, nil
}

// kept is the bound of what a backend may return: a JSON column may put a space
// behind each comma and colon.
func (p *packer) kept() int {
	if p.json {
		return 2 * p.limit
	}
	return p.limit
}

var errFormat = errors.New("cache: the value has a format that this program does not read")

// packNone fills in that there is nothing under a key, for this type: a cache of
// another one does not take it for an answer.
func (p *packer) packNone(w *backend.Write, until int64) {
	w.Format, w.Value = backend.FormatNone, []byte(p.plain)
	if len(p.keys) > 0 {
		w.Value = p.sealNone(w.Key, until)
		if p.json {
			w.Value = wrap(w.Value)
		}
		return
	}
	if p.json {
		w.Value = []byte(strconv.Quote(p.plain))
	}
}

// isNone reports whether an entry of FormatNone is of this type.
func (p *packer) isNone(key string, e *backend.Entry) bool {
	if len(p.keys) > 0 {
		value := e.Value
		if p.json {
			var err error
			if value, err = unwrap(value); err != nil {
				return false
			}
		}
		return p.opensNone(key, value, e)
	}
	return string(bytes.Trim(e.Value, `"`)) == p.plain
}

// unpack puts an entry's value into *V, and returns the bytes that it takes
// encoded. It holds to the limit of values as pack does: what is in the table may
// come from a program with another one, or from no program of this kind.
func (p *packer) unpack(key string, e *backend.Entry, to any) (size int, err error) {
	if len(p.keys) > 0 && !strings.Contains(e.Format, "+"+sealStep) {
		return 0, errPlain
	}
	if e.Format == backend.FormatInt {
		return 0, p.number(e.Number, to)
	}
	steps := strings.Split(e.Format, "+")
	if steps[0] != p.plain {
		return 0, errFormat
	}
	data := e.Value
	if len(data) > p.kept() {
		return 0, fmt.Errorf("%w: %d bytes in the backend, at most %d", ErrTooLarge, len(data), p.kept())
	}
	for n := len(steps); n > 1; n-- {
		if data, err = p.undo(steps[:n], key, data, e); err != nil {
			return 0, err
		}
	}
	return len(data), p.codec.Decode(data, to)
}

// undo takes back the last of the steps of a format.
func (p *packer) undo(steps []string, key string, data []byte, e *backend.Entry) ([]byte, error) {
	step := steps[len(steps)-1]
	switch {
	case step == "b64":
		return unwrap(data)
	case step == "zstd":
		return p.expand(data)
	case strings.HasPrefix(step, sealStep):
		return p.opened(step[len(sealStep):], data, p.place(key, strings.Join(steps, "+")), e)
	}
	return nil, errFormat
}

// number puts a counter's value into *V. A V that is another type than those that
// are written as counters does not take it: it would be a value that no one set.
func (p *packer) number(n int64, to any) error {
	v := reflect.ValueOf(to).Elem()
	if !p.whole || len(p.keys) > 0 || v.OverflowInt(n) { // a counter is not encrypted
		return errFormat
	}
	v.SetInt(n)
	return nil
}

func wrap(data []byte) []byte {
	out := make([]byte, base64.StdEncoding.EncodedLen(len(data))+2)
	out[0], out[len(out)-1] = '"', '"'
	base64.StdEncoding.Encode(out[1:], data)
	return out
}

func unwrap(data []byte) ([]byte, error) {
	data = bytes.Trim(data, `"`)
	out := make([]byte, base64.StdEncoding.DecodedLen(len(data)))
	n, err := base64.StdEncoding.Decode(out, data)
	return out[:n], err
}

// expand undoes zstd's compression. A few bytes may stand for any number of them:
// the size that the frame states is checked first, and no more than that is
// written, whatever the frame, or another one behind it, then holds.
func (p *packer) expand(data []byte) ([]byte, error) {
	var h zstd.Header
	if err := h.Decode(data); err != nil {
		return nil, err
	}
	if !h.HasFCS { // pack writes none of these
		return nil, errFormat
	}
	if h.FrameContentSize > uint64(p.limit) {
		return nil, fmt.Errorf("%w: %d bytes expand to %d, at most %d", ErrTooLarge, len(data), h.FrameContentSize, p.limit)
	}
	return decoder().DecodeAll(data, make([]byte, 0, h.FrameContentSize))
}

var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(0))
		if err != nil {
			panic(err) // the options are right
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecodeAllCapLimit(true))
		if err != nil {
			panic(err) // the options are right
		}
		return d
	})
)
