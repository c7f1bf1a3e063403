package project

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"reflect"

	"github.com/hegner123/modulagen/runtime/queue/engine"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// KindOf makes a Kind of a typed one, whose payloads are P and have these rules. Generated code
// calls it.
func KindOf[P any](name string, rules []check.Member, enqueue func(ctx context.Context, c *core.Conn, payload P) (id any, err error)) Kind {
	return Kind{
		Check: func(payload store.JSON) error {
			_, err := payloadOf[P](name, payload, rules)
			return err
		},
		Enqueue: func(ctx context.Context, c *core.Conn, payload store.JSON) (any, error) {
			p, err := payloadOf[P](name, payload, rules)
			if err != nil {
				return nil, err
			}
			return enqueue(ctx, c, p)
		},
	}
}

// payloadOf reads a payload that a person wrote, and holds it to the rules of its kind.
func payloadOf[P any](name string, payload store.JSON, rules []check.Member) (P, error) {
	var p P
	if len(bytes.TrimSpace(payload)) == 0 {
		payload = store.JSON("{}")
	}
	if err := core.DecodePayload(payload, &p); err != nil {
		return p, fmt.Errorf("the payload of %s is not %s: %w", name, reflect.TypeFor[P](), core.JSONFault(err))
	}
	if !json.Valid(payload) { // its beginning is
		return p, fmt.Errorf("the payload of %s is followed by something else", name)
	}
	if _, err := engine.Encode(name, json.RawMessage(payload), rules); err != nil { // in p, a member that is missing is zero
		return p, err
	}
	_, err := engine.Encode(name, p, rules)
	return p, err
}
