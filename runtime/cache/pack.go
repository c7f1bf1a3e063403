package cache

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"strconv"
	"strings"
	"sync"

	"github.com/klauspost/compress/zstd"
)

// Key encrypts values.
type Key struct {
	ID     string // written beside each value: a-z, 0-9, at most 20 characters
	Secret []byte // 16, 24 or 32 bytes: AES-128, -192 or -256
}

// packer turns values into what a backend keeps. A value's format names the codec
// and the type, and lists what was done then, in order: "json:string",
// "gob:page.1f0c84b2a9d3+zstd", "json:string+zstd+aes:k2". On a JSON column, what
// is no JSON is wrapped at last: "+b64".
type packer struct {
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

type sealer struct {
	id   string
	aead cipher.AEAD
}

var nameForm = regexp.MustCompile(`^[a-z0-9]{1,20}$`)

func (p *packer) setKeys(keys []Key) error {
	for _, k := range keys {
		if !nameForm.MatchString(k.ID) {
			return invalidf("the id of an encryption key is a-z and 0-9, at most 20 characters")
		}
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return invalidf("the encryption key %s: %v", k.ID, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return invalidf("the encryption key %s: %v", k.ID, err)
		}
		p.keys = append(p.keys, sealer{k.ID, aead})
	}
	return nil
}

// pack fills in what a value becomes.
func (p *packer) pack(v any, w *Write) error {
	if p.counts {
		w.Format, w.Number = FormatInt, reflect.ValueOf(v).Int()
		return nil
	}
	data, err := p.codec.Encode(v)
	if err != nil {
		return fmt.Errorf("cache: encode %T: %w", v, err)
	}
	if len(data) > p.limit {
		return fmt.Errorf("%w: %d bytes, at most %d", ErrTooLarge, len(data), p.limit)
	}
	w.encoded = len(data)
	format, isJSON := p.plain, p.isJSON
	if p.compress > 0 && len(data) >= p.compress {
		if small := encoder().EncodeAll(data, nil); len(small) < len(data) {
			data, format, isJSON = small, format+"+zstd", false
		}
	}
	if len(p.keys) > 0 {
		data, format, isJSON = p.keys[0].seal(data, w.Key), format+"+aes:"+p.keys[0].id, false
	}
	if p.json && (!isJSON || bytes.Contains(data, []byte(`\u0000`))) { // a JSON column may not take a NUL
		data, format = wrap(data), format+"+b64"
	}
	if len(data) > p.limit {
		return fmt.Errorf("%w: %d bytes as it is kept, at most %d", ErrTooLarge, len(data), p.limit)
	}
	w.Value, w.Format = data, format
	return nil
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
func (p *packer) packNone(w *Write) {
	w.Format, w.Value = FormatNone, []byte(p.plain)
	if p.json {
		w.Value = []byte(strconv.Quote(p.plain))
	}
}

// isNone tells whether an entry of FormatNone is of this type.
func (p *packer) isNone(e *Entry) bool {
	return string(bytes.Trim(e.Value, `"`)) == p.plain
}

// unpack puts an entry's value into *V, and returns the bytes that it takes
// encoded. It holds to the limit of values as pack does: what is in the table may
// come from a program with another one, or from no program of this kind.
func (p *packer) unpack(key string, e *Entry, to any) (size int, err error) {
	if e.Format == FormatInt {
		return 0, p.number(e.Number, to)
	}
	format, rest, more := strings.Cut(e.Format, "+")
	if format != p.plain {
		return 0, errFormat
	}
	data := e.Value
	if len(data) > p.kept() {
		return 0, fmt.Errorf("%w: %d bytes in the backend, at most %d", ErrTooLarge, len(data), p.kept())
	}
	if more {
		if data, err = p.undoAll(strings.Split(rest, "+"), key, data); err != nil {
			return 0, err
		}
	}
	return len(data), p.codec.Decode(data, to)
}

// undoAll undoes the steps of a format, the last one first.
func (p *packer) undoAll(steps []string, key string, data []byte) (_ []byte, err error) {
	for i := len(steps) - 1; i >= 0; i-- {
		if data, err = p.undo(steps[i], key, data); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (p *packer) undo(step, key string, data []byte) ([]byte, error) {
	switch {
	case step == "b64":
		return unwrap(data)
	case step == "zstd":
		return p.expand(data)
	case strings.HasPrefix(step, "aes:"):
		for _, k := range p.keys {
			if k.id == step[len("aes:"):] {
				return k.open(data, key)
			}
		}
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

// seal encrypts for one key of the cache: moved to another, it does not open.
func (s sealer) seal(data []byte, key string) []byte {
	nonce := make([]byte, s.aead.NonceSize(), s.aead.NonceSize()+len(data)+s.aead.Overhead())
	_, _ = rand.Read(nonce) // it cannot fail
	return s.aead.Seal(nonce, nonce, data, []byte(key))
}

func (s sealer) open(data []byte, key string) ([]byte, error) {
	n := s.aead.NonceSize()
	if len(data) < n {
		return nil, errFormat
	}
	return s.aead.Open(nil, data[:n], data[n:], []byte(key))
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
