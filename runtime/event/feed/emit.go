package feed

import (
	"context"
	"encoding/json"
	"fmt"
	"reflect"
	"strconv"

	"github.com/hegner123/modulagen/runtime/event"
	"github.com/hegner123/modulagen/runtime/event/document"
	"github.com/hegner123/modulagen/runtime/event/protocol"
	"github.com/hegner123/modulagen/runtime/store"
	"github.com/hegner123/modulagen/runtime/store/check"
	"github.com/hegner123/modulagen/runtime/store/core"
)

// Emission is an event that programs write themselves. Generated code has one for each.
type Emission struct {
	Spec  *Spec
	Topic string
	Rules []check.Member // of its payload
}

// maxPayload is what the log holds.
var maxPayload = check.At(strconv.Itoa(protocol.MaxRow))

// Emit writes an event with a payload beside the row with the id, in the transaction of c if it is
// in one. A payload that breaks its rules is refused also while no subscription reads the event: what
// a program may do does not depend on those.
func Emit(ctx context.Context, c *core.Conn, e *Emission, id, payload any) error {
	if id == "" || id == int64(0) {
		return &store.ValidationError{Datatype: e.Topic, Violations: []store.Violation{{Field: "id", Rule: "required", Message: "is required"}}}
	}
	rules := check.Rules{Kind: check.JSON, Required: true, Max: maxPayload, Fields: e.Rules}
	if _, err := core.PayloadJSON(e.Topic, payload, rules); err != nil {
		return err
	}
	wanted, err := readersOf(c.DB(), e.Spec).reads(ctx, c, e.Topic)
	if err != nil || !wanted {
		return err
	}
	a := args(c.DB())
	a[protocol.ArgEvent], a[protocol.ArgTopic], a[protocol.ArgOp] = core.NewULID(), e.Topic, string(event.Emit)
	a[protocol.ArgRow] = fmt.Sprint(id)
	if a[protocol.ArgAfter], err = document.Of(core.Normalized(payload)); err != nil {
		return fmt.Errorf("event: payload of %s: %w", e.Topic, err)
	}
	if _, err := core.Exec(ctx, c, &e.Spec.Append, a); err != nil {
		return err
	}
	c.Announce(e.Spec.Name)
	return nil
}

// HandleEmitted makes a handler of one that takes a payload: ID is the id of the row beside which it was
// emitted.
func HandleEmitted[ID ~int64 | ~string, P any](fn func(ctx context.Context, e event.Event, id ID, payload P) error) Handler {
	return func(ctx context.Context, e event.Event, _, payload []byte) error {
		id, err := rowID[ID](e.Row)
		if err != nil {
			return err
		}
		var p P
		if err := json.Unmarshal(payload, &p); err != nil {
			return fmt.Errorf("event: a payload of another version of the definition does not fit: %w", core.JSONFault(err))
		}
		return fn(ctx, e, id, p)
	}
}

// rowID reads the id of a row as the log has it.
func rowID[ID ~int64 | ~string](text string) (id ID, err error) {
	v := reflect.ValueOf(&id).Elem()
	if v.Kind() == reflect.String {
		v.SetString(text)
		return id, nil
	}
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return id, fmt.Errorf("event: the row %q of another version of the definition does not fit: its id is no number", text)
	}
	v.SetInt(n)
	return id, nil
}
