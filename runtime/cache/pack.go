package cache

import (
	"bytes"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
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

// packer turns values into what a backend keeps. A value's format lists what was
// done to it, in order: "json", "gob+zstd", "json+zstd+aes:k2". On a JSON column,
// what is no JSON is wrapped at last: "+b64".
type packer struct {
	codec    Codec
	plain    string // the format of a value that was only encoded
	compress int    // from so many bytes on; 0: never
	keys     []sealer
	limit    int // bytes of a value, packed or not
	json     bool
	counts   bool // V is a whole number, which Increment may add to
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
	format, isJSON := p.plain, p.plain == "json"
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

var errFormat = errors.New("cache: the value has a format that this program does not read")

// unpack puts an entry's value into *V.
func (p *packer) unpack(key string, e *Entry, to any) error {
	if e.Format == p.plain {
		return p.codec.Decode(e.Value, to)
	}
	if e.Format == FormatInt {
		return p.number(e.Number, to)
	}
	steps := strings.Split(e.Format, "+")
	if steps[0] != p.plain {
		return errFormat
	}
	data := e.Value
	var err error
	for i := len(steps) - 1; i > 0; i-- {
		if data, err = p.undo(steps[i], key, data); err != nil {
			return err
		}
	}
	return p.codec.Decode(data, to)
}

func (p *packer) undo(step, key string, data []byte) ([]byte, error) {
	switch {
	case step == "b64":
		return unwrap(data)
	case step == "zstd":
		return decoder().DecodeAll(data, nil)
	case strings.HasPrefix(step, "aes:"):
		for _, k := range p.keys {
			if k.id == step[len("aes:"):] {
				return k.open(data, key)
			}
		}
	}
	return nil, errFormat
}

// number gives a counter's value as whatever a number can be decoded into.
func (p *packer) number(n int64, to any) error {
	v := reflect.ValueOf(to).Elem()
	if v.CanInt() && !v.OverflowInt(n) {
		v.SetInt(n)
		return nil
	}
	if len(p.keys) > 0 {
		return errFormat // it was not encrypted
	}
	return json.Unmarshal(strconv.AppendInt(nil, n, 10), to)
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

// maxUnpacked bounds what a compressed value may grow to.
const maxUnpacked = 256 << 20

var (
	encoder = sync.OnceValue(func() *zstd.Encoder {
		e, err := zstd.NewWriter(nil, zstd.WithEncoderConcurrency(0))
		if err != nil {
			panic(err) // the options are right
		}
		return e
	})
	decoder = sync.OnceValue(func() *zstd.Decoder {
		d, err := zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(maxUnpacked))
		if err != nil {
			panic(err) // the options are right
		}
		return d
	})
)
