package mysql

import (
	"encoding/json"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// arguments returns the values that the driver encodes.
func arguments(args []any) ([]any, error) {
	bound := make([]any, len(args))
	for i, a := range args {
		v, err := core.Plain(a)
		if err != nil {
			return nil, err
		}
		switch x := v.(type) {
		case json.RawMessage:
			v = string(x) // bytes would be binary, which a JSON column refuses
		case store.Date:
			v = x.String()
		case core.Number:
			v = x.String()
		}
		bound[i] = v
	}
	return bound, nil
}
