package core

import (
	"encoding/json"
	"errors"
	"fmt"

	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
)

// PayloadJSON returns a payload as JSON, with its secrets and its times in UTC and microseconds. If it breaks its rules, the error is a
// *store.ValidationError of what has the name.
func PayloadJSON(name string, payload any, rules check.Rules) (store.JSON, error) {
	text, err := exactJSON(Normalized(payload))
	if fault, ok := errors.AsType[*textFault](err); ok {
		return nil, &store.ValidationError{Datatype: name, Violations: []store.Violation{fault.violation("payload")}}
	}
	if unsupported, ok := errors.AsType[*json.UnsupportedValueError](err); ok && unsupported.Value.CanFloat() {
		wrong := store.Violation{Field: "payload", Rule: "finite", Message: "must hold finite numbers, and one of them is NaN or an infinity"}
		return nil, &store.ValidationError{Datatype: name, Violations: []store.Violation{wrong}}
	}
	if err != nil {
		return nil, fmt.Errorf("store: payload of %s: %w", name, err)
	}
	var wrong []store.Violation
	for _, f := range rules.Check(text) {
		wrong = append(wrong, store.Violation{Field: "payload", Rule: f.Rule, Message: f.Message})
	}
	if len(wrong) > 0 {
		return nil, &store.ValidationError{Datatype: name, Violations: wrong}
	}
	return text, nil
}
