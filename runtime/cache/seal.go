package cache

import (
	"bytes"
	"context"
	"crypto/aes"
	"crypto/cipher"
	"crypto/rand"
	"encoding/binary"
	"errors"
	"strings"
	"time"

	"github.com/hegner123/modulagen/runtime/cache/backend"
)

// Key encrypts values.
type Key struct {
	ID     string // written beside each value: a-z, 0-9, at most 20 characters
	Secret []byte // 16, 24 or 32 bytes: AES-128, -192 or -256
}

// A sealed value is the moment at which it ends, a nonce and what AES-GCM makes of
// the value. The moment, the table, the key and the format are authenticated with
// it: moved to another row or table, given another format, or let live for longer,
// it does not open.

// sealer seals and opens with one key.
type sealer struct {
	id   string
	aead cipher.AEAD
}

const (
	sealStep = "aes:"           // in a format, before the key's id
	sealHead = 8                // bytes of the moment
	sealLate = 10 * time.Second // by which a row may end after its seal: it may have waited to be written
)

var (
	errPlain = errors.New("cache: the value is not encrypted, and this cache takes none that is not")
	errSeal  = errors.New("cache: the value was not sealed as it stands there, or with another key")
	errLate  = errors.New("cache: the entry ends later than its value was sealed for")
)

func newSealers(keys []Key) ([]sealer, error) {
	var out []sealer
	for _, k := range keys {
		if !nameForm.MatchString(k.ID) {
			return nil, invalidf("the id of an encryption key is a-z and 0-9, at most 20 characters")
		}
		block, err := aes.NewCipher(k.Secret)
		if err != nil {
			return nil, invalidf("the encryption key %s: %v", k.ID, err)
		}
		aead, err := cipher.NewGCM(block)
		if err != nil {
			return nil, invalidf("the encryption key %s: %v", k.ID, err)
		}
		out = append(out, sealer{k.ID, aead})
	}
	return out, nil
}

// place is what a sealed value is bound to.
type place struct{ table, key, format string }

// bytes are unambiguous: each part follows its length.
func (at place) bytes(until []byte) []byte {
	var b []byte
	for _, part := range []string{at.table, at.key, at.format} {
		b = binary.AppendUvarint(b, uint64(len(part)))
		b = append(b, part...)
	}
	return append(b, until...)
}

// seal encrypts a value for its place, until a moment in microseconds; 0: for
// ever. Each call has a nonce of its own.
func (s sealer) seal(data []byte, at place, until int64) []byte {
	head := sealHead + s.aead.NonceSize()
	out := make([]byte, head, head+len(data)+s.aead.Overhead())
	binary.BigEndian.PutUint64(out, uint64(until))
	_, _ = rand.Read(out[sealHead:]) // it cannot fail
	return s.aead.Seal(out, out[sealHead:], data, at.bytes(out[:sealHead]))
}

func (s sealer) open(sealed []byte, at place) (data []byte, until int64, err error) {
	head := sealHead + s.aead.NonceSize()
	if len(sealed) < head {
		return nil, 0, errSeal
	}
	data, err = s.aead.Open(nil, sealed[sealHead:head], sealed[head:], at.bytes(sealed[:sealHead]))
	if err != nil {
		return nil, 0, errSeal
	}
	return data, int64(binary.BigEndian.Uint64(sealed)), nil
}

// opened decrypts with the key of an id, and checks that the entry does not
// outlive its seal.
func (p *packer) opened(id string, sealed []byte, at place, e *backend.Entry) ([]byte, error) {
	s, err := p.sealerOf(id)
	if err != nil {
		return nil, err
	}
	data, until, err := s.open(sealed, at)
	if err != nil {
		return nil, err
	}
	if until != 0 && (e.Life == Forever || e.Clock.Add(e.Life-sealLate).UnixMicro() > until) {
		return nil, errLate
	}
	return data, nil
}

func (p *packer) sealerOf(id string) (sealer, error) {
	for _, s := range p.keys {
		if s.id == id {
			return s, nil
		}
	}
	return sealer{}, errFormat
}

// place is of a value in one of this cache's formats.
func (p *packer) place(key, format string) place { return place{p.table, key, format} }

// sealNone is what FormatNone keeps in an encrypted cache: the id of the key, a
// space, and the format of values, sealed.
func (p *packer) sealNone(key string, until int64) []byte {
	s := p.keys[0]
	return append([]byte(s.id+" "), s.seal([]byte(p.plain), p.place(key, backend.FormatNone), until)...)
}

func (p *packer) opensNone(key string, value []byte, e *backend.Entry) bool {
	id, sealed, _ := bytes.Cut(value, []byte(" "))
	data, err := p.opened(string(id), sealed, p.place(key, backend.FormatNone), e)
	return err == nil && string(data) == p.plain
}

// reseal returns the value of an entry sealed until another moment. The entry's
// own end is not looked at: it is the new one already.
func (p *packer) reseal(key string, e *backend.Entry, until int64) ([]byte, error) {
	format, value, err := e.Format, e.Value, error(nil)
	wrapped := p.json && (format == backend.FormatNone || strings.HasSuffix(format, "+b64"))
	if wrapped {
		if value, err = unwrap(value); err != nil {
			return nil, err
		}
		format = strings.TrimSuffix(format, "+b64")
	}
	var head []byte
	id := format[strings.LastIndex(format, "+")+1:]
	if format == backend.FormatNone {
		i := bytes.IndexByte(value, ' ') + 1
		head, value = value[:i], value[i:]
		id = sealStep + strings.TrimSpace(string(head))
	}
	if !strings.HasPrefix(id, sealStep) {
		return nil, errPlain
	}
	s, err := p.sealerOf(id[len(sealStep):])
	if err != nil {
		return nil, err
	}
	data, before, err := s.open(value, p.place(key, format))
	if err != nil {
		return nil, err
	}
	if before != 0 && e.Clock.Add(-sealLate).UnixMicro() > before {
		return nil, errLate
	}
	out := append(bytes.Clone(head), s.seal(data, p.place(key, format), until)...)
	if wrapped {
		out = wrap(out)
	}
	return out, nil
}

// until is the moment, in microseconds by the backend's clock, up to which an
// entry that lives for so long is sealed; 0: for ever.
func (c *Cache[V]) until(ctx context.Context, life time.Duration) (int64, error) {
	if len(c.pack.keys) == 0 || life == Forever {
		return 0, nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.opts.Lease) // a load that is done is kept although no one waits
	defer cancel()
	now, err := c.b.Now(ctx)
	return now.Add(life).UnixMicro(), err
}

// resealer is what a backend's Touch makes of a sealed entry; nil where nothing is
// encrypted.
func (c *Cache[V]) resealer(ctx context.Context, key string, life time.Duration) (backend.Reseal, error) {
	if len(c.pack.keys) == 0 {
		return nil, nil
	}
	until, err := c.until(ctx, life)
	return func(e *backend.Entry) ([]byte, error) { return c.pack.reseal(key, e, until) }, err
}

// unsealed reports whether an error says that a value does not open.
func unsealed(err error) bool {
	return errors.Is(err, errPlain) || errors.Is(err, errSeal) || errors.Is(err, errLate) || errors.Is(err, errFormat)
}
