package cache

import (
	"bytes"
	"encoding/gob"
	"encoding/json"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// Codec turns values into bytes and back. One of a user's own must be safe for
// concurrent use.
type Codec interface {
	// Name is written beside each value; what another codec wrote is a miss. It
	// is made of a-z and 0-9, at most 20 characters, and none of int, lease, none.
	Name() string
	Encode(v any) ([]byte, error)
	// Decode puts the value into *V, where to is a *V. It may keep data.
	Decode(data []byte, to any) error
}

// JSON is the codec that is used unless Options name another.
func JSON() Codec { return jsonCodec{} }

type jsonCodec struct{}

func (jsonCodec) Name() string                     { return "json" }
func (jsonCodec) Encode(v any) ([]byte, error)     { return core.StoredJSON(v) }
func (jsonCodec) Decode(data []byte, to any) error { return json.Unmarshal(data, to) }

// Gob is encoding/gob: for types that JSON cannot keep, such as maps with keys
// that are no text.
func Gob() Codec { return gobCodec{} }

type gobCodec struct{}

func (gobCodec) Name() string { return "gob" }

func (gobCodec) Encode(v any) ([]byte, error) {
	var b bytes.Buffer
	err := gob.NewEncoder(&b).Encode(v)
	return b.Bytes(), err
}

func (gobCodec) Decode(data []byte, to any) error {
	return gob.NewDecoder(bytes.NewReader(data)).Decode(to)
}

// Raw keeps []byte and string values as they are.
func Raw() Codec { return rawCodec{} }

type rawCodec struct{}

func (rawCodec) Name() string { return "raw" }

func (rawCodec) Encode(v any) ([]byte, error) {
	switch v := v.(type) {
	case []byte:
		return v, nil
	case string:
		return []byte(v), nil
	}
	return nil, fmt.Errorf("cache: the raw codec takes []byte and string, not %T", v)
}

func (rawCodec) Decode(data []byte, to any) error {
	switch to := to.(type) {
	case *[]byte:
		*to = data
	case *string:
		*to = string(data)
	default:
		return fmt.Errorf("cache: the raw codec gives []byte and string, not %T", to)
	}
	return nil
}
