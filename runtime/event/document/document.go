// Package document makes JSON of rows for others to read: what subscriptions and webhooks
// are sent, without secrets.
package document

import (
	"bytes"
	"encoding/json"

	"github.com/hegner123/modulagen/runtime/store/core"
)

// mask is what core.MaskJSON writes in place of a secret.
const mask = "***"

// Of returns a row as JSON, without its secrets; "" of no row.
func Of(row any) (string, error) {
	if row == nil {
		return "", nil
	}
	data, err := json.Marshal(row)
	if err != nil || !bytes.Contains(data, []byte(`"`+mask+`"`)) {
		return string(data), err
	}
	data, err = withoutMasks(row, data)
	return string(data), err
}

// withoutMasks removes the masks of secrets that JSON objects within a row hold: a
// secret that is a number could not be read again. What is stored tells a mask from a
// text that is the same.
func withoutMasks(row any, data []byte) ([]byte, error) {
	stored, err := core.StoredJSON(row)
	if err != nil {
		return nil, err
	}
	shown, err := tree(data)
	if err != nil {
		return nil, err
	}
	open, err := tree(stored)
	if err != nil {
		return nil, err
	}
	unmask(shown, open)
	return json.Marshal(shown)
}

func tree(data []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(data))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func unmask(shown, open any) {
	switch shown := shown.(type) {
	case map[string]any:
		o, _ := open.(map[string]any)
		for name, v := range shown {
			if v == mask && o[name] != mask {
				delete(shown, name)
				continue
			}
			unmask(v, o[name])
		}
	case []any:
		o, _ := open.([]any)
		for i := range min(len(shown), len(o)) {
			unmask(shown[i], o[i])
		}
	}
}
